"""Prints the ranges of code points that Python's repr() escapes, as rows of a C array.

SPDX-License-Identifier: MIT
"""
import sys

first = None
for point in range(sys.maxunicode + 2):
    hidden = point <= sys.maxunicode and not chr(point).isprintable()
    if hidden and first is None:
        first = point
    elif not hidden and first is not None:
        print('{0x%x, 0x%x},' % (first, point - 1))
        first = None
