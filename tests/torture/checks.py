"""What must be true of a run directory: on the way, and at the end."""

import collections
import contextlib
import pathlib
import shutil
import sqlite3
import tempfile

from chains import read_table


class Lost(AssertionError):
    """Products are not those of the undisturbed run."""

    def __init__(self, text, epochs):
        super().__init__(text)
        self.epochs = epochs


@contextlib.contextmanager
def ledger(folder):
    """A copy of run.db: to open the file of a killed run would repair it, which is the program's to do.
    None if there is no ledger yet."""
    file = folder / ".qsohost/run.db"
    if not file.exists():
        yield None
        return
    with tempfile.TemporaryDirectory(prefix="qsohost-ledger-") as scratch:
        for end in ("", "-wal", "-journal"):
            with contextlib.suppress(FileNotFoundError):
                shutil.copyfile(f"{file}{end}", f"{scratch}/run.db{end}")
        with contextlib.closing(sqlite3.connect(f"{scratch}/run.db")) as db:
            yield db


def has_tables(db):
    """False of a ledger whose making was broken off."""
    return db is not None and bool(db.execute("SELECT 1 FROM sqlite_master WHERE name='batch'").fetchall())


def committed(run):
    """Batches, while the program is at work: a copy made meanwhile may be no good."""
    with contextlib.suppress(sqlite3.DatabaseError), ledger(run.folder) as db:
        if has_tables(db):
            return db.execute("SELECT count(*) FROM batch WHERE committed IS NOT NULL").fetchone()[0]
    return 0


def check_on_the_way(run):
    """However the program ended: the ledger is whole, has all that it had, and what is there by the
    name of a product is one."""
    with ledger(run.folder) as db:
        if db is not None:
            found = db.execute("PRAGMA integrity_check").fetchall()
            assert found == [("ok",)], f"integrity_check: {found[:3]}"
    now = committed(run)
    assert now >= run.committed, f"{run.committed} batches were committed, now {now}"
    run.committed = now
    if not run.is_like_undisturbed:
        return
    for product in run.folder.glob("*.fits"):
        whole = run.chain.undisturbed / product.name
        assert product.read_bytes() == whole.read_bytes(), f"{product.name} is there, and is not whole"


def account(folder):
    """What became of every object at every stage, and how many epochs went in and out."""
    with ledger(folder) as db:
        queries = (
            "SELECT ordinal, first_object, objects, committed IS NOT NULL FROM batch ORDER BY 1",
            "SELECT stage, source_id, nth, outcome, epochs FROM object ORDER BY 1, 2, 3",
            "SELECT * FROM stage_batch ORDER BY 1, 2",
            "SELECT key, value FROM meta WHERE key IN ('complete', 'objects', 'source end') ORDER BY 1",
        )
        return [db.execute(query).fetchall() for query in queries]


def files(folder):
    """By name; the host's own folder is not among them."""
    return {str(p.relative_to(folder)): p for p in folder.rglob("*")
            if p.is_file() and ".qsohost" not in p.parts}  # fmt: skip


def check_done(run):
    compare(run.chain.undisturbed, run.folder)
    whole, found = account(run.chain.undisturbed), account(run.folder)
    for name, was, now in zip(("batches", "objects", "counts of stages", "facts"), whole, found):
        odd = set(was) ^ set(now)
        assert was == now, f"the ledger accounts for other {name}: {sorted(odd)[:4]}"


def compare(whole, folder):
    """Byte for byte; no file is missing, none is left over."""
    was, now = files(whole), files(folder)
    wrong = [n for n in sorted(was.keys() | now.keys())
             if n not in was or n not in now or was[n].read_bytes() != now[n].read_bytes()]  # fmt: skip
    if wrong:
        lost = (epochs(whole) - epochs(folder)).total()
        raise Lost(f"differ from those of the undisturbed run: {', '.join(wrong)}", lost)


def epochs(folder):
    """Of each light-curve product, by quasar, band and time."""
    found = collections.Counter()
    for product in pathlib.Path(folder).glob("*_lc.fits"):
        try:
            table, _ = read_table(product)
        except (OSError, UserWarning):  # damaged: none of its epochs counts
            continue
        for name in [n for n in table if n.startswith("mjd_") or n.endswith("_time")]:
            for source, times in zip(table["source_id"], table[name]):
                found.update((product.name, source, name, t) for t in map(float, times))
    return found
