"""Puts drysock's _socket in place in every interpreter that finds this folder on its path.

SPDX-License-Identifier: MIT

python/conformance sets PYTHONPATH to this folder, so that the subprocesses of tests use it too.
"""
import pathlib
import sys

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import drysock  # noqa: E402,F401
