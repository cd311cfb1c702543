"""A run does not end because its output cannot be written."""

import json
import os
import pathlib
import pty
import sqlite3
import subprocess
import time
import unittest

from support import QSOHOST, TEST_PLUGINS, ChainTest

CHAIN = f"""
[chain]
name = "output"
batch_rows = 10
plugins = ["{TEST_PLUGINS}/plugins/faux.so"]
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "faux-fetch"
label = "fetch"
ms = 150
[[stage]]
use = "faux-sink"
label = "out"
last = true
"""


class Output(ChainTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write("chain.toml", CHAIN)
        self.run_chain = ["--chain", str(self.chain), "--run-dir", "run"]

    def shell(self, redirection, *args):
        """The program with the shell's redirections behind it."""
        return subprocess.run(
            ["bash", "-c", f'set -o pipefail; "$0" "$@" {redirection}', QSOHOST, *map(str, args)],
            capture_output=True,
            cwd=self.folder,
            timeout=300,
        )

    def assert_is_done(self, folder="run"):
        product = (self.folder / folder / "out.txt").read_text()
        self.assertEqual(product.count("\n"), 100)
        status = json.loads(self.qsohost("status", folder, "--json").stdout)
        self.assertTrue(status["finished"])
        self.assertEqual(status["objects"], 100)

    def test_streams_that_cannot_be_written_end_no_run(self):
        for n, redirection in enumerate(
            (
                "2>/dev/full",
                ">/dev/full",
                ">/dev/full 2>&1",
                ">&-",
                "2>&-",
                "<&- >&- 2>&-",
                "2>&1 | head -1",
                "2>&1 | true",
            )
        ):
            with self.subTest(redirection):
                folder = f"run{n}"
                done = self.shell(redirection, *self.run_chain[:2], "--run-dir", folder)
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assert_is_done(folder)

    def test_a_terminal_that_is_closed_ends_no_run(self):
        ours, theirs = pty.openpty()
        process = subprocess.Popen(
            [QSOHOST, *self.run_chain], cwd=self.folder, start_new_session=True,
            stdin=theirs, stdout=theirs, stderr=theirs,
        )  # fmt: skip
        os.close(theirs)
        time.sleep(0.5)
        os.close(ours)
        self.assertEqual(process.wait(300), 0)
        self.assert_is_done()

    def test_a_command_whose_output_is_all_it_does_fails_without_it(self):
        self.shell(">/dev/null", *self.run_chain, "--set", "fetch.ms=0")
        for command in (
            ["list"],
            ["list", "--json"],
            ["inspect", "fits-sink"],
            ["status", "run"],
            ["status", "run", "--matched"],
            ["--chain", str(self.chain), "--graph", "dot"],
            ["--help"],
        ):
            with self.subTest(" ".join(command)):
                for redirection in (">/dev/full", ">&-"):
                    done = self.shell(redirection, *command)
                    self.assertEqual(done.returncode, 1)
                    self.assertIn(b"cannot be written", done.stderr)
                # Whoever reads no further has what he wanted.
                done = self.shell("| head -1", *command)
                self.assertEqual((done.returncode, done.stderr), (0, b""))
                self.assertTrue(done.stdout)

    def test_a_file_of_the_run_is_never_taken_for_a_closed_stream(self):
        """A new file gets the lowest number that is free; were that 2, messages would go into it."""
        self.shell("2>&-", *self.run_chain, "--set", "fetch.ms=0")
        self.assert_is_done()
        for file in filter(pathlib.Path.is_file, (self.folder / "run").rglob("*")):
            self.assertNotIn(b"most in flight", file.read_bytes(), file)

    def test_text_that_is_not_utf8_is_printed_as_json(self):
        self.shell(">/dev/null", *self.run_chain, "--set", "fetch.ms=0")
        db = sqlite3.connect(self.folder / "run/.qsohost/run.db")
        db.execute("UPDATE object SET source_id = CAST(X'636166E9' AS TEXT) WHERE source_id = '1'")
        db.execute("UPDATE product SET path = CAST(X'2F746D702FE9' AS TEXT)")
        db.commit()
        db.close()
        objects = json.loads(self.qsohost("status", "run", "--matched", "--json").stdout)
        self.assertIn("caf\ufffd", [o["source_id"] for o in objects])
        status = json.loads(self.qsohost("status", "run", "--json").stdout)
        self.assertEqual(status["products"], ["/tmp/\ufffd"])
        odd = os.fsencode(self.folder) + b"/caf\xe9"
        os.mkdir(odd)
        listed = self.qsohost("list", "--json", env={"QSOHOST_PLUGIN_PATH": os.fsdecode(odd)})
        self.assertIn("\ufffd", json.loads(listed.stdout)["searched"][0])


class LongLists(ChainTest):
    OBJECTS = 200_000

    def setUp(self):
        super().setUp()
        chain = self.write("chain.toml", CHAIN)
        self.qsohost("--chain", chain, "--run-dir", "run", "--set", "fetch.ms=0")
        self.ledger = self.folder / "run/.qsohost/run.db"
        self.db = sqlite3.connect(self.ledger)
        self.addCleanup(self.db.close)
        self.db.execute("DELETE FROM object")
        self.db.executemany(
            "INSERT INTO object VALUES(1, ?, ?, 0, '', 5, 'g 5, r 5; oids 2', 1, 'now', 0)",
            ((str(10**18 + n * 7919 % self.OBJECTS), n // 500) for n in range(self.OBJECTS)),
        )
        self.db.commit()

    def test_status_lists_every_object_once_in_order(self):
        lines = self.qsohost("status", "run", "--matched").stdout.splitlines()[1:]
        expected = self.db.execute("SELECT source_id FROM object ORDER BY ordinal, source_id, nth")
        self.assertEqual([line.split("\t")[0] for line in lines], [row[0] for row in expected])
        objects = json.loads(self.qsohost("status", "run", "--matched", "--json").stdout)
        self.assertEqual([o["source_id"] for o in objects], [line.split("\t")[0] for line in lines])
        self.assertEqual(list(objects[0]), ["source_id", "stage", "state", "attempts", "when", "why"])
        self.assertEqual(self.qsohost("status", "run", "--failed", "--json").stdout, "[]\n")

    def test_memory_does_not_grow_with_the_list(self):
        long = self.peak_memory("status", "run", "--matched", "--json")
        self.db.execute("DELETE FROM object WHERE ordinal > 10")
        self.db.commit()
        short = self.peak_memory("status", "run", "--matched", "--json")
        self.assertLess(long, short + 20_000)

    def test_a_slow_reader_of_status_does_not_block_the_run(self):
        process = subprocess.Popen(
            [QSOHOST, "status", "run", "--matched"], cwd=self.folder, stdout=subprocess.PIPE
        )
        self.assertTrue(process.stdout.read(1))  # it prints, and the pipe is full soon
        time.sleep(1)
        self.assertIsNone(process.poll())
        # What a run does meanwhile: write, and now and then empty the write-ahead log.
        self.db.execute("INSERT INTO meta VALUES('meanwhile', 'x')")
        self.db.commit()
        is_busy, _, _ = self.db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        self.assertEqual(is_busy, 0)
        self.assertEqual(os.path.getsize(f"{self.ledger}-wal"), 0)
        self.assertEqual(process.communicate()[0].count(b"\n"), self.OBJECTS + 1)
        self.assertEqual(process.returncode, 0)


if __name__ == "__main__":
    unittest.main()
