"""Identifiers that would lead out of the folder of a template: the object is bad, and nothing is read."""

import os
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

    def test_a_zero_byte_ends_no_path(self):
        """The system would read, or write, what is before it."""
        self.chain(["good"], catalogue="catalogue.csv\\u0000.fits")
        self.assertIn("catalog.path must have no zero byte", self.run_chain("--check", expect=2).stderr)

    def test_a_run_is_merged_whatever_its_paths_are_called(self):
        """Control characters, and bytes that are not UTF-8: neither can stand in TOML as they are."""
        self.chain(["good"], answers="answers/{source_id}/lc.csv")
        self.write("answers/good/lc.csv", ANSWER)
        catalogue = os.fsencode(self.folder) + b"/caf\xe9 \x1b[31m\".csv"
        os.rename(self.folder / "catalogue.csv", catalogue)
        options = [b"catalog.path=" + catalogue, b"raw.keep_chunks=true", b"raw.path=\xe9\x1b[31m.fits"]
        self.run_chain(*[os.fsdecode(word) for option in options for word in (b"--set", option)])
        product = self.folder / os.fsdecode(b"c.run/\xe9\x1b[31m.fits")
        before = product.read_bytes()
        product.unlink()
        self.qsohost("merge", "c.run")
        self.assertEqual(product.read_bytes(), before)


if __name__ == "__main__":
    unittest.main()
