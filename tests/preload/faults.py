# Fault rules aim at a program's calls by the names that strace prints; what fired is told.
# SPDX-License-Identifier: MIT
#
# usage: faults.py DRYSOCK     exit status: 0, or 1 with what is wrong
import subprocess, sys

PROGRAM = """
import socket
a, b = socket.socketpair()
print(a.send(b"12345"), a.send(b"12345"), a.send(b"1234"))
try:
    b.recv(10)
except ConnectionResetError as error:
    print(error)
print(b.recv(20))
"""
done = subprocess.run([sys.argv[1], "exec", "--fault", "command sendto#2 bytes=1",
                       "--fault", "command recvfrom#1 errno=ECONNRESET",
                       "--fault", "command sendto#9 errno=EIO", "--", "/usr/bin/python3", "-c", PROGRAM],
                      capture_output=True, text=True, timeout=60)
for part in ("5 1 4\n", "Connection reset by peer\n", "b'1234511234'\n"):
    if part not in done.stdout:
        sys.exit(f"the program does not say {part!r}:\n{done.stdout}{done.stderr}")
for part in ("sendto#2 bytes=1: fired 1 times", "errno=ECONNRESET: fired 1 times", "EIO: fired 0 times"):
    if part not in done.stderr:
        sys.exit(f"the run does not say {part!r}:\n{done.stderr}")
