"""A few kB that would become gigabytes: gzip, entities of XML, elements inside each other."""

import gzip
import random
import signal
import subprocess
import time
import unittest
import zlib

from support import ANSWER, HostileTest

from chains import QSOHOST, wait_until

MB = 1 << 20


def bomb(path, size):
    """`size` MB of blanks, gzipped: a thousandth of it."""
    with open(path, "wb") as file:
        packer = zlib.compressobj(9, zlib.DEFLATED, 31)
        file.write(packer.compress(b"source_id,ra,dec\n1,10,20\n"))
        for _ in range(size):
            file.write(packer.compress(b" " * MB))
        file.write(packer.flush())


VOTABLE = """<?xml version="1.0"?>
{}<VOTABLE><RESOURCE><TABLE><FIELD name="source_id" datatype="char" arraysize="*"/>
<FIELD name="ra" datatype="double"/><FIELD name="dec" datatype="double"/>
<DATA><TABLEDATA><TR><TD>{}</TD><TD>10</TD><TD>20</TD></TR></TABLEDATA></DATA></TABLE></RESOURCE></VOTABLE>
"""


class BombsTest(HostileTest):
    def test_a_gzip_bomb_as_catalogue(self):
        self.chain([], catalogue="bomb.csv.gz")
        bomb(self.folder / "bomb.csv.gz", 300)
        begin = time.monotonic()
        error = self.run_chain("--check", expect=None).stderr + self.run_chain(expect=None).stderr
        self.assertIn("bomb.csv.gz: is gzipped", error)
        self.assertIn("expand to more than 200 times as many", error)
        self.assertIn("unpack it first (gunzip)", error)
        self.assertLess(time.monotonic() - begin, 10)

    def test_what_is_no_table_is_refused_before_it_is_unpacked(self):
        """None of these files can be unpacked whole: what they are is seen in their first bytes."""
        self.chain([], catalogue="cat.gz")
        for begin, words in (
            (b"%PDF-1.4\n", "is a PDF document"),
            (b"PAR1", "is a Parquet file"),
            (b"\xfd7zXZ\0", "is packed by xz; unpack it first"),
            (b"<html><body>", "is an HTML page instead of a table"),
            (b"a,b\n1,\0\n", "line 2 has a zero byte"),
        ):
            with self.subTest(words):
                packed = gzip.compress(begin + random.Random(1).randbytes(2 * MB))
                (self.folder / "cat.gz").write_bytes(packed[:-1000])
                self.assertIn(f"cat.gz: {words}", self.run_chain("--restart", expect=None).stderr)
        (self.folder / "cat.gz").write_bytes(gzip.compress(b"source_id,ra,dec\n" + 2 * MB * b"1,2,3\n")[:-9])
        self.assertIn("damaged or cut short", self.run_chain("--restart", expect=None).stderr)

    def test_a_gzip_bomb_as_light_curve_fails_its_object_alone(self):
        self.chain(["1", "2"], answers="answers/{source_id}.csv.gz")
        (self.folder / "answers").mkdir()
        (self.folder / "answers/1.csv.gz").write_bytes(gzip.compress(ANSWER.encode()))
        bomb(self.folder / "answers/2.csv.gz", 100)
        self.run_chain(expect=3)
        self.assertIn("expand to more than 200 times", self.outcomes()["2"])
        self.assertEqual(set(self.outcomes("--matched")), {"1"})

    def test_entities(self):
        bombs = '<!ENTITY a0 "0123456789">' + "".join(
            f'<!ENTITY a{i} "{10 * f"&a{i - 1};"}">' for i in range(1, 10)
        )
        large = '<!ENTITY a "' + "x" * 500_000 + '">'
        deep = "<a>" * 100_000
        for name, doctype, cell, words in (
            ("bomb", bombs, "&a9;", "amplification"),
            ("quadratic", large, "&a;" * 40, "amplification"),
            ("file", '<!ENTITY a SYSTEM "/etc/passwd">', "&a;", "is outside of the file"),
            ("unknown", "", "&a;", "not well-formed"),
            ("deep", "", deep, "elements inside each other"),
        ):
            with self.subTest(name):
                self.chain([], catalogue=f"{name}.vot")
                doctype = doctype and f"<!DOCTYPE VOTABLE [{doctype}]>\n"
                self.write(f"{name}.vot", VOTABLE.format(doctype, cell))
                done = self.run_chain("--restart", expect=None)
                self.assertIn(done.returncode, (1, 2))
                self.assertIn(words, done.stderr + done.stdout)

    def test_unpacking_ends_when_it_is_told_to(self):
        """Members of a gzip that take long to unpack, all in all, and are no bomb."""
        self.chain([], catalogue="large.csv.gz")
        member = gzip.compress("".join(f"{i},10,20{120 * ' '}\n" for i in range(100_000)).encode())
        with open(self.folder / "large.csv.gz", "wb") as file:
            file.write(gzip.compress(b"source_id,ra,dec\n"))
            for _ in range(100):
                file.write(member)
        process = subprocess.Popen([QSOHOST, "--chain", "chain.toml"], cwd=self.folder,
                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(process.kill)
        time.sleep(0.5)
        begin = time.monotonic()
        process.send_signal(signal.SIGTERM)
        wait_until(lambda: process.poll() is not None, "the end")
        self.assertLess(time.monotonic() - begin, 10)


if __name__ == "__main__":
    unittest.main()
