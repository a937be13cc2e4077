# This system's own list of system calls, as rows of a table for test_calls.c.
# SPDX-License-Identifier: MIT
#
# usage: numbers.py OUTPUT COMPILER…
import re, subprocess, sys

output, compiler = sys.argv[1], sys.argv[2:]
text = subprocess.run([*compiler, "-E", "-dM", "-include", "sys/syscall.h", "-x", "c", "/dev/null"],
                      capture_output=True, text=True, check=True).stdout
names = sorted(set(re.findall(r"#define __NR_(\w+) \d+", text)))
with open(output, "w") as file:
    for name in names:
        file.write(f'{{"{name}", __NR_{name}}},\n')
