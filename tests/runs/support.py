"""What tests of disturbed runs share: a small chain, the program under a failing storage, and what its
products hold."""

import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

import fits_table
import world
from installation import PLUGINS, small_installation, with_storage

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
from chains import TEST_PLUGINS, ChainTest  # noqa: E402, F401

CATALOG, CURVES, RAW = "c_catalog.fits", "c_ztf_lc.fits", "c_raw.fits"
PRODUCTS = (RAW, CATALOG, CURVES)


class RunTest(ChainTest):
    """Eight quasars, two batches, three products: chain.toml, catalogue.csv and answers."""

    IDS = [21, 5, 18, 3, 12, 7, 30, 16]
    KEEP = "true"
    USED = PLUGINS

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        installation = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-installation-"))
        cls.addClassCleanup(shutil.rmtree, installation, True)
        cls.program = small_installation(installation / "small", cls.USED)

    def setUp(self):
        super().setUp()
        self.world = self.make_world("")

    def make_world(self, name, keep=None):
        settings = {"batch_rows": 4, "raw_path": "{name}_raw.fits", "sort_by": "",
                    "keep": [keep or self.KEEP] * 3}  # fmt: skip
        return world.World(
            self.folder / name, [(i, 0) for i in self.IDS], dict.fromkeys(self.IDS, 0), settings
        )

    def qsohost(self, *args, expect=0, storage=None):
        """expect: an exit code, several, or None for any. storage: what goes wrong with it, see
        storage_shim.cpp."""
        env = {k: v for k, v in os.environ.items() if k != "QSOHOST_PLUGIN_PATH"}
        if storage:
            env = with_storage(env, storage)
        done = subprocess.run(
            [self.program, *map(str, args)], capture_output=True, text=True, cwd=self.folder, env=env,
            timeout=600,
        )  # fmt: skip
        if expect is not None:
            codes = expect if isinstance(expect, tuple) else (expect,)
            self.assertIn(done.returncode, codes, done.stdout + done.stderr)
        done.said = done.stdout + done.stderr
        return done

    def run_chain(self, *args, run_dir="c.run", chain="chain.toml", **more):
        return self.qsohost("--chain", chain, "-j", 1, "--run-dir", run_dir, *args, **more)

    def refuse(self, *args, names, expect=(1, 2), **more):
        """A run that must not begin, and why."""
        before = self.files()
        done = self.run_chain(*args, expect=expect, **more)
        for name in [names] if isinstance(names, str) else names:
            self.assertIn(name, done.said)
        self.assert_same(before, self.files())
        return done

    def assert_same(self, before, after):
        """Files by name; a difference of their bytes is no use to anybody."""
        changed = [n for n in before.keys() | after.keys() if before.get(n) != after.get(n)]
        self.assertEqual(changed, [])

    def storage_calls(self, *args, **more):
        """How many calls change files in such a run."""
        file = self.folder / "calls"
        self.run_chain(*args, storage=f"count {file}", **more)
        return int(file.read_text())

    def set_answer(self, source_id, answer):
        self.world.answers[source_id] = answer
        self.world.write_answer(source_id)

    def set_rows(self, ids):
        self.world.rows[:] = [(i, 0) for i in ids]
        self.world.write_catalogue()

    def ids(self, product, run_dir="c.run"):
        return fits_table.read(self.folder / run_dir / product).columns["source_id"]

    def assert_products(self, ids=None, run_dir="c.run", answers=None):
        """All products have these objects, each with its own epochs."""
        ids = self.IDS if ids is None else ids
        answers = answers or self.world.answers
        for product in PRODUCTS:
            table = fits_table.read(self.folder / run_dir / product).columns
            kept = [i for i in ids if product == RAW or world.epochs(i, answers[i])["g"]]
            self.assertEqual(table["source_id"], kept, product)
            for row, source_id in enumerate(kept):
                if product != CATALOG:
                    epochs = world.epochs(source_id, answers[source_id])["g"]
                    self.assertEqual(list(table["mjd_g"][row]), [mjd for mjd, _ in epochs], product)
                    self.assertEqual(list(table["mag_g"][row]), [mag for _, mag in epochs], product)

    def files(self, folder="."):
        """Content by path of all that is there, but for folders of the host's."""
        root = self.folder / folder
        paths = (p for p in root.rglob("*") if p.is_file() and ".qsohost" not in p.parts)
        return {str(p.relative_to(root)): p.read_bytes() for p in paths}

    def ledger_file(self, run_dir="c.run"):
        """Where it is now, or was before the host had a folder of its own."""
        inside = self.folder / run_dir / ".qsohost/run.db"
        return inside if inside.parent.exists() else self.folder / run_dir / "run.db"

    def query(self, sql, run_dir="c.run"):
        db = sqlite3.connect(self.ledger_file(run_dir))
        try:
            return db.execute(sql).fetchall()
        finally:
            db.close()
