"""Identifiers, labels and file names with escape sequences: what goes to the terminal is harmless, what
goes into JSON and products is unchanged."""

import json
import re
import subprocess
import unittest

from support import ANSWER, HostileTest

from chains import QSOHOST

CLEAR, TITLE, BIDI = "a\x1b[2Jb", "a\x1b]0;owned\x07b", "a\u202eb"
# C0 but tab and line end, DEL, C1 (also as UTF-8), marks of direction.
HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


class TerminalTest(HostileTest):
    def assert_harmless(self, *args, expect=0):
        done = subprocess.run([QSOHOST, *args], cwd=self.folder, capture_output=True)
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        said = (done.stdout + done.stderr).decode()  # that is, it is UTF-8
        self.assertIsNone(HARMFUL.search(said), said)
        return said

    def make_run(self):
        self.chain([CLEAR, TITLE, BIDI, "good"], answers="answers/{source_id}.csv")
        self.write("answers/good.csv", ANSWER)
        return self.assert_harmless("--chain", "chain.toml", "--log-level", "debug", expect=3)

    def test_a_run_and_its_status(self):
        self.make_run()
        failed = self.assert_harmless("status", "c.run", "--failed")
        self.assertIn("a\\u001b[2Jb\tztf\tbad", failed)
        self.assertIn("a\\u202eb\tztf\t", failed)
        self.assert_harmless("status", "c.run")

    def test_json_keeps_what_was_there(self):
        self.make_run()
        listed = json.loads(self.assert_harmless("status", "c.run", "--failed", "--json"))
        self.assertEqual({o["source_id"] for o in listed}, {CLEAR, TITLE, BIDI})

    def test_file_names(self):
        name = "cat\x1b[31m\u202e.csv"
        self.chain(["good"], catalogue="cat\\u001b[31m\\u202e.csv")
        for args in (("--chain", "chain.toml"), ("--chain", name), ("describe", name),
                     ("status", name), ("inspect", name), ("merge", name),
                     ("--no-\x1b[2Jsuch-option",)):  # fmt: skip
            with self.subTest(args=args):
                done = subprocess.run([QSOHOST, *args], cwd=self.folder, capture_output=True)
                self.assertIn(done.returncode, (1, 2))
                self.assertIsNone(HARMFUL.search((done.stdout + done.stderr).decode()))

    def test_bytes_that_are_not_utf8(self):
        done = subprocess.run([QSOHOST, b"describe", b"a\xff\x9b2J"], cwd=self.folder, capture_output=True)
        self.assertIn(b"a\\xff\\x9b2J", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
