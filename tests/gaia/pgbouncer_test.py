"""Cross-match and epochs through pgbouncer in transaction mode, where one session of the server is
now this client's and now that one's."""

import signal
import subprocess
import unittest

from support import SKYSIM, GaiaTest, postgres, wait_until
from wsdb_test import data_of

import pgbouncer

CHAIN = """
[chain]
name = "gaia"
batch_rows = 5
[[stage]]
use = "wsdb-crossmatch"
label = "match"
dsn = "{dsn}"
columns = ["z"]
[[stage]]
use = "gaia-epoch"
label = "epochs"
archive = "wsdb"
dsn = "{dsn}"
lanes = 4
[[stage]]
use = "fits-sink"
label = "catalog"
what = "catalog"
[[stage]]
use = "fits-sink"
label = "product"
what = "gaia"
"""


@unittest.skipUnless(postgres.programs() and postgres.has_q3c(), "no PostgreSQL with q3c here")
@unittest.skipUnless(pgbouncer.program(), "no pgbouncer here")
class TransactionMode(GaiaTest):
    SESSIONS = 3

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(postgres.Postgres())
        subprocess.run([SKYSIM, "load", cls.sky, "--dsn", cls.server.dsn], check=True, capture_output=True)
        cls.pool = cls.enterClassContext(pgbouncer.Pgbouncer(cls.server, cls.SESSIONS))

    def chain_by(self, dsn, name):
        return self.write(name, CHAIN.format(dsn=dsn))

    def left_behind(self):
        return self.server.query(
            "SELECT relname, nspname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE relpersistence = 't' AND relkind = 'r'"
        )

    def sessions(self):
        return self.server.query("SELECT pid FROM pg_stat_activity WHERE application_name = 'qsohost'")

    def assert_same(self, run):
        if not (self.folder / "direct").exists():
            self.qsohost("--chain", self.chain_by(self.server.dsn, "direct.toml"), "--run-dir", "direct")
        for product in ("gaia_catalog.fits", "gaia_gaia_lc.fits"):
            self.assertEqual(data_of(self.folder / run / product), data_of(self.folder / "direct" / product))

    def test_the_same_products_run_after_run_and_nothing_stays_behind(self):
        for run in ("first", "second"):
            self.qsohost("--chain", self.chain_by(self.pool.dsn, f"{run}.toml"), "--run-dir", run)
            self.assert_same(run)
            self.assertTrue(self.sessions())  # the pool keeps them, and all that they hold
            self.assertEqual(self.left_behind(), [])

    def test_a_run_that_was_killed_leaves_nothing_in_the_pool(self):
        chain = self.chain_by(self.pool.dsn, "killed.toml")
        process = self.launch("--chain", chain, "--run-dir", "killed")
        chunks = self.folder / "killed/.qsohost/chunks"
        wait_until(lambda: len(list(chunks.rglob("*.fits"))) > 2, "some batches", process)
        process.send_signal(signal.SIGKILL)
        process.wait()
        wait_until(lambda: not self.left_behind(), "the end of its transactions")
        self.qsohost("--chain", chain, "--run-dir", "killed", "--resume")
        self.assert_same("killed")


if __name__ == "__main__":
    unittest.main()
