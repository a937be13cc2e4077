#!/usr/bin/env python3
# A guest kernel gives back what its command did, and leaves nothing on the machine.
# SPDX-License-Identifier: MIT
import os, pathlib, signal, subprocess, sys, tempfile, time, unittest

GUEST = pathlib.Path(__file__).resolve().parents[2] / "tools/guest"
KERNEL = sys.argv.pop(1) if len(sys.argv) > 1 else "qemu"


def guest(*words, options=()):
    return subprocess.run([GUEST, "--kernel", KERNEL, *options, "--", *words], capture_output=True, text=True,
                          stdin=subprocess.DEVNULL)


def machines():
    """Guests that run, and folders of jobs."""
    found = subprocess.run(["pgrep", "-f", "linux.uml|qemu-system"], capture_output=True, text=True)
    mine = [line for line in found.stdout.split() if line != str(os.getpid())]
    return mine, sorted(pathlib.Path(tempfile.gettempdir()).glob("drysock-guest-*"))


class Guest(unittest.TestCase):
    def test_command__ends__its_streams_and_status_come_back(self):
        done = guest("sh", "-c", "uname -r; echo wrong >&2; pwd; exit 7")
        self.assertEqual((done.returncode, done.stderr), (7, "wrong\n"))
        release, folder = done.stdout.splitlines()
        self.assertNotEqual(release, os.uname().release)
        self.assertEqual(release, subprocess.run([GUEST, "--kernel", KERNEL, "--version"], capture_output=True,
                                                 text=True).stdout.strip())
        self.assertEqual(folder, os.getcwd())

    def test_command__is_not_there__status_127(self):
        self.assertEqual(guest("no-such-command").returncode, 127)

    def test_files__only_the_share__come_back_whole(self):
        with tempfile.TemporaryDirectory() as folder:
            name = f"/var/tmp/drysock-guest-test-{os.getpid()}"
            done = guest("sh", "-c", f"echo lost >{name}; head -c 3000000 /dev/urandom >{folder}/data; "
                         f"cksum <{folder}/data", options=("--share", folder))
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(f"{folder}/data", "rb") as data:
                mine = subprocess.run(["cksum"], stdin=data, capture_output=True, text=True)
            self.assertEqual(done.stdout, mine.stdout)
            self.assertFalse(os.path.exists(name))

    def test_families__of_no_machine_here__give_sockets(self):
        done = guest("/usr/bin/python3", "-c", "import socket as s\n"
                     "s.socket(s.AF_CAN, s.SOCK_RAW, s.CAN_RAW); s.socket(s.AF_ALG, s.SOCK_SEQPACKET)\n"
                     "s.socket(s.AF_TIPC, s.SOCK_RDM); s.socket(s.AF_INET, s.SOCK_STREAM, s.IPPROTO_SCTP)",
                     options=("--module", "tipc"))
        self.assertEqual((done.returncode, done.stderr), (0, ""))

    def test_time__is_over__status_124_and_nothing_stays(self):
        before = machines()
        done = guest("sleep", "1000", options=("--timeout", "8"))
        self.assertEqual((done.returncode, done.stderr), (124, "guest: 8 s were over; --timeout gives more\n"))
        self.assertEqual(machines(), before)

    def test_guest__is_stopped_by_a_signal__nothing_stays(self):
        before = machines()
        process = subprocess.Popen([GUEST, "--kernel", KERNEL, "--", "sleep", "1000"],
                                   stdin=subprocess.DEVNULL)
        time.sleep(2)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(), 128 + signal.SIGTERM)
        self.assertEqual(machines(), before)

    def test_usage__is_wrong__status_2_with_the_cure(self):
        for words, cure in ((["--"], "a command is missing"), (["--share", "/no/such", "--", "true"], "no such folder"),
                            (["--timeout", "0", "--", "true"], "more than 0 s")):
            done = subprocess.run([GUEST, *words], capture_output=True, text=True)
            self.assertEqual(done.returncode, 2)
            self.assertIn(cure, done.stderr)


unittest.main(verbosity=2)
