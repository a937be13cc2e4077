"""CPython's own tests as programs as they are: the unmodified interpreter in the world.

SPDX-License-Identifier: MIT

usage: python/conformance --world [--build DIR] [--record] [TEST…]

Runs each test file of world_floor.txt through `drysock exec` and prints how many of its tests pass, in
how much real and virtual time. A file's floor may only rise; --record writes the floors that were
reached. What is below its floor counts as a loss.
exit status: 0 no file is below its floor, 1 some are, 2 nothing to run with
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree

HERE = pathlib.Path(__file__).resolve().parent
FLOOR = HERE / 'world_floor.txt'
PYTHON = '/usr/bin/python3.11'
LIMIT_SECONDS = 120
NEED_NETWORK = {'test_timeout', 'test_socketserver'}


def floors():
    """Test file to (floor, names to leave out), as world_floor.txt has them."""
    rows = {}
    for line in FLOOR.read_text(encoding='utf-8').splitlines():
        words = line.split('#')[0].split()
        if words:
            rows[words[0]] = (int(words[1]), words[2:])
    return rows


def passing(path):
    """How many tests of a JUnit file passed; what did not end well."""
    text = pathlib.Path(path).read_text(encoding='utf-8') if os.path.exists(path) else ''
    count, bad = 0, []
    for case in xml.etree.ElementTree.fromstring(text).iter('testcase') if text else ():
        if case.find('failure') is not None or case.find('error') is not None:
            bad.append(case.get('name'))
        elif case.get('result') == 'completed' and case.find('skipped') is None:
            count += 1
    return count, bad


def run(drysock, test, left_out):
    """One file: how many pass, which do not, real seconds, virtual seconds, the last lines."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        output = os.path.join(folder, 'outcomes')
        words = [drysock, 'exec', '--', PYTHON, '-m', 'test', '--junit-xml', output]
        if test in NEED_NETWORK:
            words += ['-u', 'network']
        for name in left_out:
            words += ['-i', name]
        try:
            done = subprocess.run(words + [test], cwd=folder, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                  timeout=LIMIT_SECONDS, check=False)
            printed = done.stdout.decode(errors='replace')
        except subprocess.TimeoutExpired as late:
            printed = (late.stdout or b'').decode(errors='replace') + '\nSTOPPED: it hangs'
        count, bad = passing(output)
        virtual = re.findall(r'drysock: ([\d.]+) s of virtual time', printed)
        return count, bad, time.monotonic() - start, virtual[-1] if virtual else '?', printed


def main(arguments):
    """Reads the command line, runs, tells."""
    build = HERE.parent / 'build'
    if '--build' in arguments:
        at = arguments.index('--build')
        build = pathlib.Path(arguments[at + 1]).resolve()
        del arguments[at:at + 2]
    record = '--record' in arguments
    rows = floors()
    tests = [word for word in arguments if word != '--record'] or list(rows)
    drysock = build / 'harness/drysock'
    if not drysock.exists() or not os.path.exists(PYTHON):
        print(f'conformance: {drysock} and {PYTHON} are needed')
        return 2
    print(f'{"":24} floor  pass   bad    real virtual')
    low = 0
    for test in tests:
        floor, left_out = rows.get(test, (0, []))
        count, bad, seconds, virtual, printed = run(str(drysock), test, left_out)
        print(f'{test:24} {floor:5d} {count:5d} {len(bad):5d} {seconds:6.1f}s {virtual:>6}s', flush=True)
        for name in bad:
            print(f'    bad: {name}')
        if count < floor:
            low += 1
            print(''.join('    | ' + line + '\n' for line in printed.splitlines()[-20:]))
        rows[test] = (max(floor, count) if record else floor, left_out)
    if record:
        head = FLOOR.read_text(encoding='utf-8').split('\n\n')[0]
        FLOOR.write_text(head + '\n\n' + ''.join(
            ' '.join([test, str(floor), *left_out]) + '\n' for test, (floor, left_out) in rows.items()),
            encoding='utf-8')
    print(f'{len(tests)} files, {low} below their floor')
    return 1 if low else 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
