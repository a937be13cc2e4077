"""Writes the C table of the code points that Python's repr() escapes.

SPDX-License-Identifier: MIT

    printable.py OUTPUT
"""
import sys


def hidden_ranges():
    """Pairs of the first and last of neighbouring code points that are not printable."""
    first = None
    for point in range(sys.maxunicode + 2):
        hidden = point <= sys.maxunicode and not chr(point).isprintable()
        if hidden and first is None:
            first = point
        elif not hidden and first is not None:
            yield first, point - 1
            first = None


ranges = list(hidden_ranges())
with open(sys.argv[1], 'w', encoding='utf-8') as out:
    out.write('/* Made by tools/printable.py from the character database of this Python. */\n'
              '#include <stddef.h>\n#include <stdint.h>\n\n'
              'extern const uint32_t dry_hidden_characters[][2];\n'
              'extern const size_t dry_hidden_count;\n\n'
              'const uint32_t dry_hidden_characters[][2] = {\n')
    for pair in ranges:
        out.write('    {0x%x, 0x%x},\n' % pair)
    out.write('};\n\nconst size_t dry_hidden_count = %d;\n' % len(ranges))
