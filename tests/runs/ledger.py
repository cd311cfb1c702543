"""What the ledger of a run says, read without touching it."""

import contextlib
import pathlib
import shutil
import sqlite3

HOST = ".qsohost"
OUTCOMES = ("matched", "not found", "failed", "bad")
FETCHER = 1  # its place in the chains of these tests
MARK = "mark of a test"


class Ledger:
    """batches: {ordinal: (first_object, objects, attempt)} of those committed.
    objects: {source_id: (ordinal, outcome)} of those, as the fetcher had them."""

    def __init__(self, run_dir, scratch):
        file = pathlib.Path(run_dir) / HOST / "run.db"
        self.is_begun = self.is_finished = self.is_complete = self.is_marked = False
        self.batches, self.objects, self.reopened = {}, {}, set()
        self.products = []
        if not file.exists():
            return
        # A copy: opening the file of a killed run would repair it, which is what the program must do.
        copy = pathlib.Path(scratch) / "run.db"
        for end in ("", "-wal"):
            pathlib.Path(f"{copy}{end}").unlink(missing_ok=True)
            if pathlib.Path(f"{file}{end}").exists():
                shutil.copyfile(f"{file}{end}", f"{copy}{end}")
        db = sqlite3.connect(copy)
        db.row_factory = sqlite3.Row
        try:
            self._read(db)
        finally:
            db.close()
            pathlib.Path(f"{copy}-shm").unlink(missing_ok=True)

    def _read(self, db):
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        assert db.execute("PRAGMA user_version").fetchone()[0] == 4
        meta = {row["key"]: row["value"] for row in db.execute("SELECT key, value FROM meta")}
        self.is_begun = "begun" in meta
        self.is_finished = "finished" in meta
        self.is_complete = "complete" in meta
        self.is_marked = MARK in meta
        if not self.is_begun:
            return
        for row in db.execute("SELECT * FROM batch"):
            if row["committed"] is None:
                self.reopened.add(row["ordinal"])
            else:
                batch = (row["first_object"], row["objects"], row["attempt"])
                self.batches[row["ordinal"]] = batch
        counts = dict.fromkeys(self.batches, 0)
        query = "SELECT source_id, ordinal, outcome FROM object WHERE stage=?"
        for source_id, ordinal, outcome in db.execute(query, (FETCHER,)):
            if ordinal not in self.batches:
                continue
            counts[ordinal] += 1
            assert int(source_id) not in self.objects, f"{source_id} is accounted for twice"
            self.objects[int(source_id)] = (ordinal, OUTCOMES[outcome])
        for ordinal, (_, objects, _) in self.batches.items():
            assert counts[ordinal] == objects, f"batch {ordinal}: {counts[ordinal]} of {objects} objects"
        self.products = [dict(row) for row in db.execute("SELECT * FROM product")]

    def check_order(self):
        end = 0
        for first, objects, _ in sorted(self.batches.values()):
            assert first >= end, f"batches overlap at object {first}"
            end = first + objects

    @staticmethod
    def mark(run_dir):
        """Writes what a new ledger in the place of this one would not have."""
        with contextlib.closing(sqlite3.connect(pathlib.Path(run_dir) / HOST / "run.db")) as db, db:
            db.execute("INSERT OR REPLACE INTO meta VALUES(?, '')", (MARK,))

    def outcomes(self):
        return {outcome for _, outcome in self.objects.values()}
