"""drysock's sockets for Python: one import puts them in place of the interpreter's own.

SPDX-License-Identifier: MIT

    import drysock            # before anything imports socket
    import socket             # is drysock's now, for every module of this program

The extension `_socket` lies beside this file, or where $DRYSOCK_PYTHON says.
"""
import importlib.machinery
import importlib.util
import os
import pathlib
import sys


def _load():
    folder = pathlib.Path(os.environ.get('DRYSOCK_PYTHON') or __file__)
    folder = folder if folder.is_dir() else folder.parent
    for suffix in importlib.machinery.EXTENSION_SUFFIXES:
        path = folder / ('_socket' + suffix)
        if path.exists():
            loader = importlib.machinery.ExtensionFileLoader('_socket', str(path))
            spec = importlib.util.spec_from_file_location('_socket', str(path), loader=loader)
            module = importlib.util.module_from_spec(spec)
            loader.exec_module(module)
            return module
    raise ImportError(f'no extension _socket in {folder}')


if '_socket' in sys.modules:
    raise ImportError('import drysock before socket: another module has imported socket already')
sys.modules['_socket'] = _load()
