"""Identifiers that would lead out of the folder of a template: the object is bad, and nothing is read."""

import unittest

from support import ANSWER, HostileTest


class PathsTest(HostileTest):
    def test_identifiers_lead_nowhere_else(self):
        self.chain(["good", "-rf", "..", ".", "a/b", "../x", str(self.folder), "x" * 300, "a\x01b"])
        for name in ("answers/good", "answers/-rf", ".", "answers", "answers/a/b", "x"):
            self.write(f"{name}/lc.csv", ANSWER)
        self.run_chain(expect=3)
        reasons = self.outcomes()
        self.assertEqual(set(self.outcomes("--matched")), {"good", "-rf"})
        for name, reason in {
            "..": "'..' is another folder",
            ".": "'.' is another folder",
            "a/b": "it must have no '/'",
            "../x": "it must have no '/'",
            str(self.folder): "it must have no '/'",
            "x" * 300: "has 300 bytes; a name has at most 255",
            "a\\u0001b": "it must have no control character",
        }.items():
            self.assertIn("cannot be part of a file name: ", reasons[name])
            self.assertIn(reason, reasons[name])

    def test_in_part_of_a_folder_name(self):
        self.chain(["."], answers="answers/.{source_id}/lc.csv")
        self.write("lc.csv", ANSWER)
        self.write("answers/x", "")
        self.run_chain(expect=3)
        self.assertIn("'..' is another folder", self.outcomes()["."])


if __name__ == "__main__":
    unittest.main()
