"""Writes the C table of the socket module's constants, out of the system's headers.

SPDX-License-Identifier: MIT

    constants.py LIST OUTPUT COMPILER...

LIST says where to look and what to take (see tools/constants.txt). Names come from the
preprocessor's macros and from enumerators; the compiler says which of them are integer constants,
and evaluates them in the table itself.
"""
import re
import subprocess
import sys


def read_list(path):
    """The list's kinds of lines: headers, name patterns, names left out, names with values."""
    headers, patterns, skipped, named = [], [], set(), {}
    with open(path, encoding='utf-8') as lines:
        for number, line in enumerate(lines, 1):
            words = line.split('#')[0].split()
            match words:
                case []:
                    pass
                case ['include', header]:
                    headers.append(header)
                case ['take', pattern]:
                    patterns.append(re.escape(pattern).replace(r'\*', r'[A-Za-z0-9_]*'))
                case ['skip', name]:
                    skipped.add(name)
                case ['name', name, value]:
                    named[name] = value
                case _:
                    sys.exit(f'{path}:{number}: not an include, take, skip or name line')
    return headers, patterns, skipped, named


def compile_text(compiler, options, text):
    """Runs the compiler over text; returns its exit status, output and messages."""
    done = subprocess.run(compiler + ['-std=gnu17', '-D_GNU_SOURCE', '-x', 'c', *options, '-'],
                          input=text, text=True, capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr


def find_names(compiler, includes, patterns):
    """Every name of a macro or an enumerator that a pattern takes."""
    wanted = re.compile('(?:' + '|'.join(patterns) + r')\Z')
    status, macros, errors = compile_text(compiler, ['-E', '-dM'], includes)
    if status:
        sys.exit('The headers of the address families cannot be read:\n' + errors)
    names = set(re.findall(r'^#define (\w+)(?= )', macros, re.M))
    _, text, _ = compile_text(compiler, ['-E', '-P'], includes)
    for body in re.findall(r'\benum\b\s*\w*\s*\{([^{}]*)\}', text):
        names.update(re.findall(r'(?:^|,)\s*([A-Za-z_]\w*)', body))
    return {name for name in names if wanted.match(name)}


def drop_others(compiler, includes, table):
    """Keeps what is an integer constant: one assertion a line, and the lines with errors go."""
    names = sorted(table)
    first = includes.count('\n') + 1
    while True:
        text = includes + ''.join(f'_Static_assert(({table[n]}) == ({table[n]}), "");\n'
                                  for n in names)
        status, _, errors = compile_text(
            compiler, ['-fsyntax-only', '-w', *no_limit(compiler)],
            text)
        if status == 0:
            return names
        wrong = {int(line) - first for line in re.findall(r'<stdin>:(\d+):\d+: error', errors)}
        if not wrong or min(wrong) < 0:
            sys.exit('The headers of the address families cannot be compiled:\n' + errors)
        names = [name for i, name in enumerate(names) if i not in wrong]


def no_limit(compiler):
    """The option that lets the compiler tell every error."""
    status, _, _ = compile_text(compiler, ['-fsyntax-only', '-ferror-limit=0'], '')
    return ['-ferror-limit=0'] if status == 0 else ['-fmax-errors=0']


def main():
    """Reads the list, asks the compiler, writes the table."""
    path, output, *compiler = sys.argv[1:]
    headers, patterns, skipped, named = read_list(path)
    includes = ''.join(f'#include <{header}>\n' for header in headers)
    table = {name: name for name in find_names(compiler, includes, patterns) - skipped}
    table.update(named)
    names = drop_others(compiler, includes, table)
    missing = sorted(set(named) - set(names))
    if missing:
        sys.exit('The headers have no ' + ', '.join(missing))
    with open(output, 'w', encoding='utf-8') as out:
        out.write('/* Made by tools/constants.py from the headers of this system. */\n')
        out.write(includes)
        out.write('\n#include <drysock/socket.h>\n\nextern const struct dry_constant '
                  'dry_constant_table[];\nextern const size_t dry_constant_count;\n\n'
                  'const struct dry_constant dry_constant_table[] = {\n')
        for name in names:
            out.write(f'    {{"{name}", (int64_t)({table[name]})}},\n')
        out.write('};\n\nconst size_t dry_constant_count = %d;\n' % len(names))


main()
