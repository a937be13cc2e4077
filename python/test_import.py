#!/usr/bin/env python3
# `import drysock` after `meson install`: the interpreter looks where it is put, and takes it from there.
# SPDX-License-Identifier: MIT
#
# usage: python/test_import.py FOLDER PREFIX     FOLDER: of the packages; what is not below the machine's own
# prefixes is nowhere that an interpreter looks by itself
import site
import sys

folder, prefix = sys.argv[1:3]
if prefix in ("/usr", "/usr/local") and folder not in [*sys.path, *site.getsitepackages()]:
    sys.exit(f"{folder} is no place where {sys.executable} looks: {sys.path}")
