"""Writes the names of the interpreter's own _socket constants as a C table.

SPDX-License-Identifier: MIT

    names.py OUTPUT
"""
import sys

import _socket

names = sorted(name for name in dir(_socket)
               if isinstance(getattr(_socket, name), (int, str)) and not name.startswith('__'))
with open(sys.argv[1], 'w', encoding='utf-8') as out:
    out.write('/* Made by python/names.py from the interpreter that the extension is for. */\n'
              'extern const char *const constant_names[];\n\n'
              'const char *const constant_names[] = {\n')
    for name in names:
        out.write('    "%s",\n' % name)
    out.write('    0,\n};\n')
