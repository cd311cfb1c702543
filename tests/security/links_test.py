"""A run directory of somebody else, with links where the host writes: their targets stay as they are."""

import unittest

from support import ANSWER, HostileTest

# The host's name and job, a process and the time of its last sign of life: long dead.
DEAD = "elsewhere\n\n1\n1000000000.000\n"


class LinksTest(HostileTest):
    def setUp(self):
        super().setUp()
        self.chain(["good", "bad"])
        self.write("answers/good/lc.csv", ANSWER)
        self.write("answers/bad/lc.csv", "no answer\n")
        self.run_chain(expect=3)
        self.work = self.folder / "c.run/.qsohost"

    def assert_not_followed(self, name, target):
        link = self.work / name
        link.symlink_to(target)
        refused = self.run_chain("--retry-failed", expect=1)
        self.assertIn(f"{link}: cannot be written: ", refused.stderr)
        self.assertIn("symbolic link", refused.stderr)
        link.unlink(missing_ok=True)

    def test_a_file_behind_a_link_is_not_written(self):
        for name in ("holder", "crashes"):
            with self.subTest(name):
                target = self.write("mine", DEAD)
                self.assert_not_followed(name, target)
                self.assertEqual(target.read_text(), DEAD)

    def test_no_file_is_made_behind_a_link(self):
        for name in ("holder", "crashes"):
            with self.subTest(name):
                target = self.folder / "none"
                self.assert_not_followed(name, target)
                self.assertFalse(target.exists())

    def test_without_a_link_the_run_goes_on(self):
        self.run_chain("--retry-failed", expect=3)


if __name__ == "__main__":
    unittest.main()
