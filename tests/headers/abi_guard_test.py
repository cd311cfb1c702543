"""The guard of the boundary, on copies of the headers that somebody has changed."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class AbiGuardTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-abi-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        shutil.copytree(ROOT / "framework/include", self.folder / "include")
        shutil.copy(ROOT / "framework/abi.txt", self.folder)
        self.number = int(re.search(r"API_NUMBER (\d+)", self.header("api.hpp").read_text())[1])

    def header(self, name):
        return self.folder / "include/qsohost" / name

    def change(self, name, old, new):
        text = self.header(name).read_text()
        self.assertEqual(text.count(old), 1, f"{name} has changed; change this test too")
        self.header(name).write_text(text.replace(old, new))

    def set_number(self, number):
        text = self.header("api.hpp").read_text()
        self.header("api.hpp").write_text(re.sub(r"(API_NUMBER) \d+", rf"\1 {number}", text))

    def history(self):
        lines = (self.folder / "abi.txt").read_text().splitlines()
        return [int(line.split()[1]) for line in lines if line.startswith("api ")]

    def guard(self, *args):
        done = subprocess.run(
            [sys.executable, ROOT / "tests/abi_guard.py", "--framework", self.folder, *args],
            capture_output=True, text=True,
        )  # fmt: skip
        return done.returncode, done.stdout + done.stderr

    def assert_refused(self, *words, args=()):
        code, text = self.guard(*args)
        self.assertEqual(code, 1, text)
        for word in words:
            self.assertIn(word, text)

    def assert_good(self, *args):
        code, text = self.guard(*args)
        self.assertEqual(code, 0, text)

    def test_a_changed_member_wants_a_new_number_and_then_a_record(self):
        self.assert_good()
        self.change("batch.hpp", "  std::size_t capacity_;", "  std::uint32_t spare_, more_;\n  std::size_t capacity_;")
        words = ("qsohost::Batch has other members", "layout hash is", "abi_guard.py --raise")
        self.assert_refused(*words)
        self.assert_refused(*words, args=["--fix"])
        self.set_number(self.number + 1)
        self.assert_refused("abi.txt is behind", "--fix")
        before = self.history()
        self.assert_good("--fix")
        self.assertEqual(self.history(), [*before, self.number + 1])
        self.assert_good()
        self.set_number(self.number)
        self.assert_refused(f"is {self.number}, but was {self.number + 1} already")

    def test_changes_that_keep_all_sizes_are_found(self):
        self.change("stage.hpp", "  virtual void close() noexcept {}", "  virtual void pause() {}\n  virtual void close() noexcept {}")
        self.change("http.hpp", "  std::string content_type{}; ", "  std::string type_of_content{}; ")
        code, text = self.guard()
        self.assertEqual(code, 1)
        self.assertIn("qsohost::Stage has other members, bases or virtual functions", text)
        self.assertIn("qsohost::Sink has", text)  # whose own functions stand elsewhere now
        self.assertIn("qsohost::Request has", text)
        self.assertNotIn("layout hash is", text)

    def test_raise_also_records(self):
        self.change("stage.hpp", "virtual void apply(Batch& batch, Counts& counts) const;", "virtual void apply(Batch& batch, Counts& counts);")
        self.assert_good("--raise")
        self.assertEqual(self.history()[-1], self.number + 1)
        self.assert_good("--raise")  # there is nothing to raise now
        self.assertEqual(self.history()[-1], self.number + 1)

    def test_a_new_class_needs_a_record_but_no_number(self):
        self.change("error.hpp", "class QSOHOST_API NotFound :", "struct Brandnew {\n  int member;\n};\n\nclass QSOHOST_API NotFound :")
        self.assert_refused("abi.txt is behind", args=[])
        self.assert_good("--fix")
        self.assertEqual(self.history()[-1], self.number)
        self.assertIn("class qsohost::Brandnew ", (self.folder / "abi.txt").read_text())
        self.assert_good()

    def test_a_recording_with_merge_conflicts_is_refused_with_what_to_do(self):
        (self.folder / "abi.txt").write_text("<<<<<<< HEAD\napi 2 00\n=======\n")
        self.assert_refused("abi.txt:1: '<<<<<<< HEAD'", "--raise")


if __name__ == "__main__":
    unittest.main()
