"""A run.db that is damaged, another program's or of another version: every command that opens it says
what is wrong and what to do, and leaves it as it is."""

import contextlib
import hashlib
import os
import random
import shutil
import sqlite3
import unittest

from support import PRODUCTS, RunTest

APPLICATION_ID, FORMAT = 0x51534F48, 4
PAGE = 4096


def random_bytes(n):
    return random.Random(7).randbytes(n)


def pages_from(first):
    return lambda content: content[: first * PAGE] + random_bytes(len(content) - first * PAGE)


DAMAGE = {
    "no database": lambda _: b"something else entirely\n" * 1000,
    "zero length": lambda _: b"",
    "cut in half": lambda content: content[: len(content) // 2],
    "cut in a page": lambda content: content[: 3 * PAGE + 100],
    "header": lambda content: random_bytes(100) + content[100:],
    "first page": lambda content: content[:100] + random_bytes(PAGE - 100) + content[PAGE:],
    "all pages but the first": pages_from(1),
    "zeros": lambda content: content[:PAGE] + bytes(len(content) - PAGE),
}


def database(path, application_id, user_version=0, tables="CREATE TABLE notes(text)", wal=False):
    path.unlink(missing_ok=True)
    with contextlib.closing(sqlite3.connect(path)) as db:
        if wal:
            db.execute("PRAGMA journal_mode=WAL")
        db.execute(f"PRAGMA application_id={application_id}")
        db.execute(f"PRAGMA user_version={user_version}")
        if tables:
            db.execute(tables)
            db.execute("INSERT INTO notes VALUES('mine')")
        db.commit()


class LedgerTest(RunTest):
    def setUp(self):
        super().setUp()
        self.run_chain()
        self.whole = self.ledger_file().read_bytes()

    def digest(self):
        return hashlib.sha256(self.ledger_file().read_bytes()).hexdigest()

    def refuses(self, words, *commands, code):
        """Each of the commands; none of them changes the ledger or a product."""
        before = self.files("c.run"), self.digest()
        for args in commands:
            done = self.qsohost(*args, expect=code)
            self.assertIn(".qsohost/run.db", done.stderr, args)
            for word in words:
                self.assertIn(word, done.stderr, args)
            self.assertEqual(self.digest(), before[1], args)
        self.assert_same(before[0], self.files("c.run"))

    RUN = ("--chain", "chain.toml", "--run-dir", "c.run")
    WRITERS = [
        RUN,
        (*RUN, "--resume"),
        (*RUN, "--retry-failed"),
        (*RUN, "--resume", "--accept-changed-inputs"),
        ("merge", "c.run"),
        ("merge", "c.run", "--into", "merged"),
    ]
    READERS = [
        ("status", "c.run"),
        ("status", "c.run", "--failed"),
        ("status", "c.run", "--json"),
        ("report", "c.run"),
    ]
    ALL = WRITERS + READERS

    def test_damage(self):
        for damage, make in DAMAGE.items():
            with self.subTest(damage):
                self.ledger_file().write_bytes(make(self.whole))
                self.refuses(["restore it from a copy"], *self.ALL, code=1)
                self.ledger_file().write_bytes(self.whole)
                self.run_chain("--resume")

    def test_every_damaged_page_is_found_before_anything_is_written(self):
        for page in range(1, len(self.whole) // PAGE):
            with self.subTest(page):
                at = page * PAGE
                self.ledger_file().write_bytes(
                    self.whole[:at] + random_bytes(PAGE) + self.whole[at + PAGE :]
                )
                self.refuses(["damaged"], (*self.RUN, "--resume"), code=1)

    def test_a_table_that_is_missing(self):
        tables = self.query("SELECT name FROM sqlite_master WHERE type='table'")
        self.assertGreater(len(tables), 5)
        for (name,) in tables:
            with self.subTest(name):
                with contextlib.closing(sqlite3.connect(self.ledger_file())) as db:
                    db.execute(f"DROP TABLE {name}")
                words = [f"no such table: {name}", "restore it from a copy"]
                self.refuses(words, *self.ALL, code=1)
                self.ledger_file().write_bytes(self.whole)
        self.run_chain("--resume")

    def test_a_column_that_is_missing(self):
        with contextlib.closing(sqlite3.connect(self.ledger_file())) as db:
            db.execute("ALTER TABLE product DROP COLUMN now")
        self.refuses(["no such column: now", "damaged"], ("status", "c.run"), code=1)

    def test_a_folder_in_its_place(self):
        self.ledger_file().unlink()
        self.ledger_file().mkdir()
        (self.ledger_file() / "notes").write_text("mine")
        for args in [*self.ALL, (*self.RUN, "--restart")]:
            done = self.qsohost(*args, expect=2)
            self.assertIn("run.db: a directory, where a file must be; move it away", done.stderr)
        self.assertEqual((self.ledger_file() / "notes").read_text(), "mine")

    def test_a_named_pipe_for_the_lock_is_not_waited_for(self):
        lock = self.folder / "c.run/.qsohost/lock"
        lock.unlink()
        os.mkfifo(lock)
        self.qsohost("status", "c.run")

    def test_another_program(self):
        for name, make in {
            "a GeoPackage": {"application_id": 0x47504B47, "user_version": 10300},
            "with a write-ahead log": {"application_id": 0x47504B47, "wal": True},
            "without a mark": {"application_id": 0},
            "with our version": {"application_id": 0, "user_version": FORMAT},
        }.items():
            with self.subTest(name):
                database(self.ledger_file(), **make)
                restart = (*self.RUN, "--restart")
                self.refuses(["another program", "move it away"], *self.ALL, restart, code=2)

    def test_another_version(self):
        for version, word in ((FORMAT + 1, "newer"), (FORMAT - 1, "earlier")):
            with self.subTest(word):
                database(self.ledger_file(), APPLICATION_ID, version)
                restart = (*self.RUN, "--restart")
                words = [word, f"format {version}", "go on with that version"]
                self.refuses(words, *self.ALL, restart, code=2)

    def test_a_newer_ledger_is_not_merged_with_others(self):
        shutil.copytree(self.folder / "c.run", self.folder / "other")
        with contextlib.closing(sqlite3.connect(self.ledger_file())) as db:
            db.execute(f"PRAGMA user_version={FORMAT + 1}")
        self.refuses(["newer"], ("merge", "other", "c.run", "--into", "merged"), code=2)
        self.assertFalse((self.folder / "merged").exists())

    def store(self, key, value):
        with contextlib.closing(sqlite3.connect(self.ledger_file())) as db, db:
            db.execute("INSERT OR REPLACE INTO meta VALUES(?, ?)", (key, value))

    def test_a_number_that_is_none(self):
        self.store("objects", "many")
        self.refuses(["'objects' is 'many'", "damaged"], ("status", "c.run"), code=1)

    def test_an_identifier_that_is_a_blob(self):
        """It sorts after all texts, so that a list of the objects would not come to its end."""
        with contextlib.closing(sqlite3.connect(self.ledger_file())) as db, db:
            db.execute("INSERT INTO object VALUES(0, x'00ff', 0, 2, 'why', 0, '', 1, '', 0)")
        self.refuses(["'object'", "damaged"], ("status", "c.run", "--failed"), code=1)

    def test_counts_that_are_none(self):
        for value in "[[1]]", '{"a": 1}', "[":
            self.store("source counts", value)
            self.refuses(["'source counts'", "damaged"], ("status", "c.run"), code=1)

    def test_columns_of_a_sink_that_are_none(self):
        key, columns = self.query("SELECT * FROM meta WHERE key LIKE 'schema of %'")[0]
        self.assertIn('"dtype":5', columns)
        for value in "[", columns.replace('"dtype":5', '"dtype":77'):
            self.store(key, value)
            self.refuses([f"'{key}'", "damaged"], ("merge", "c.run"), code=1)

    def test_a_ledger_is_marked_and_whole_from_the_beginning(self):
        """Killed at each of its first writes."""
        found = 0
        for call in range(1, 100):
            shutil.rmtree(self.folder / "c.run", ignore_errors=True)
            self.run_chain(expect=None, storage=f"kill {call}")
            found += self.ledger_file().exists()
            if self.ledger_file().exists():
                self.assertEqual(self.query("PRAGMA application_id"), [(APPLICATION_ID,)])
                self.assertEqual(self.query("PRAGMA user_version"), [(FORMAT,)])
                self.assertEqual(self.query("PRAGMA integrity_check"), [("ok",)])
                self.query("SELECT * FROM meta, batch, object, product, fetched")
            if found == 5:
                break
        self.assertEqual(found, 5)
        self.run_chain("--resume")
        self.assert_products()

    def test_the_journal_of_a_removed_ledger_is_not_applied_to_the_next(self):
        wal = self.folder / "c.run/.qsohost/run.db-wal"
        with contextlib.closing(sqlite3.connect(self.ledger_file())) as db:
            db.execute("INSERT INTO meta VALUES('of the old one', '')")
            db.commit()
            old = wal.read_bytes()
        self.ledger_file().unlink()
        wal.write_bytes(old)
        for product in PRODUCTS:
            (self.folder / "c.run" / product).unlink()
        self.run_chain()
        self.assertEqual(self.query("SELECT * FROM meta WHERE key='of the old one'"), [])
        self.assert_products()


if __name__ == "__main__":
    unittest.main()
