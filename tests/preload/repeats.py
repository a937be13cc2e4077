# Programs with threads repeat: the same seed gives the same bytes, another schedule another order.
# SPDX-License-Identifier: MIT
#
# usage: repeats.py DRYSOCK RACE     exit status: 0, or 1 with what differed
import subprocess, sys

drysock, race = sys.argv[1:]
SERVER = """
import http.server, os, threading, time, urllib.request
said = []
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.path.encode())
    def log_message(self, *arguments):
        said.append(("served", self.path))
server = http.server.ThreadingHTTPServer(("", 8080), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
def client(number):
    for round in range(3):
        said.append(urllib.request.urlopen(f"http://127.0.0.1:8080/{number}/{round}").read())
        time.sleep(0.1 * number)
threads = [threading.Thread(target=client, args=(number,)) for number in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print(said, time.monotonic(), os.urandom(8), open("/dev/urandom", "rb").read(8), hash("a"), os.getpid())
"""


def run(command, *options):
    done = subprocess.run([drysock, "exec", *options, "--", *command], capture_output=True, text=True,
                          timeout=60)
    if done.returncode != 0:
        sys.exit(f"exit status {done.returncode}\n{done.stdout}{done.stderr}")
    return done.stdout + done.stderr


def main():
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(2)]
    try:
        server = ["/usr/bin/python3", "-c", SERVER]
        first = run(server)
        for _ in range(5):
            if (again := run(server)) != first:
                sys.exit(f"a repeat differs:\n{first}{again}")
        races = [run([race], "--schedule", str(number)) for number in range(12)]
        if len(set(races)) < 2:
            sys.exit(f"no schedule shows the race: {races[0]}")
        for number in (3, 7):
            if run([race], "--schedule", str(number)) != races[number]:
                sys.exit(f"schedule {number} does not repeat")
    finally:
        for process in load:
            process.kill()


main()
