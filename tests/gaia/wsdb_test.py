"""gaia-epoch from a PostgreSQL of its own that `skysim load` fills: the same epochs as from files."""

import re
import signal
import subprocess
import time
import unittest

import numpy as np
from astropy.io import fits
from support import PATIENCE, SKYSIM, GaiaTest, Proxy, fill_many, interrupt, postgres, read_table, wait_until, write_targets

TABLE = "gaia_dr3.epoch_photometry"


def band_of(name):
    """Of a column: flags of the spacecraft are those of the band G."""
    parts = name.split("_")
    return next((b for b in ("bp", "rp") if b in parts), "g")


def data_of(path):
    """Rows and arrays of a product, byte by byte: headers differ in their HISTORY."""
    with fits.open(path) as file:
        start = file[1].fileinfo()["datLoc"]
    return path.read_bytes()[start:]


@unittest.skipUnless(postgres.programs() and postgres.has_q3c(), "no PostgreSQL with q3c here")
class Wsdb(GaiaTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(postgres.Postgres())
        subprocess.run([SKYSIM, "load", cls.sky, "--dsn", cls.server.dsn], check=True, capture_output=True)

    def wsdb(self, more="", user="tester", port=None):
        dsn = self.server.dsn.replace("user=tester", f"user={user}")
        dsn = dsn.replace(f"port={self.server.port}", f"port={port or self.server.port}")
        return f'archive = "wsdb"\ndsn = "{dsn}"\n{more}'

    def proxy(self, **how):
        proxy = Proxy(self.server.port, **how)
        self.addCleanup(proxy.close)
        return proxy

    def log(self):
        return (self.folder / "log").read_text()

    def run_chain(self, archive, run, expect=0, **settings):
        chain = self.chain(archive, name=f"{run}.toml", **settings)
        return self.qsohost("--chain", chain, "--run-dir", run, expect=expect)

    def product(self, run):
        return self.folder / run / "gaia_gaia_lc.fits"

    def copy_of_table(self, name, columns="*", where=""):
        self.server.query(f"DROP TABLE IF EXISTS {name}; CREATE TABLE {name} AS SELECT {columns} FROM {TABLE} {where}")

    def test_the_same_epochs_as_from_files(self):
        self.run_chain(self.files(), "files")
        for lanes in (1, 3):
            run = f"wsdb{lanes}"
            self.run_chain(self.wsdb(f"lanes = {lanes}"), run)
            self.assert_product(self.product(run))
            self.assert_outcomes(self.folder / run)
            self.assertEqual(data_of(self.product(run)), data_of(self.product("files")))
            self.assertEqual(self.outcomes(self.folder / run), self.outcomes(self.folder / "files"))

    def test_nothing_is_left_in_a_session_outside_of_its_transactions(self):
        """So it works through a pooler of connections, which changes the session between them."""
        self.server.query("ALTER ROLE tester SET log_statement = 'all'")
        self.addCleanup(self.server.query, "ALTER ROLE tester RESET ALL")
        before = (self.server.folder / "log").stat().st_size
        self.run_chain(self.wsdb("lanes = 3"), "logged", batch_rows=20)
        log = (self.server.folder / "log").read_bytes()[before:].decode()
        sessions, uploads = {}, 0
        for pid, name, text in re.findall(r"\[(\d+)\] LOG:  (?:statement|execute ([^:]*)): (.*)", log):
            if text.startswith("ALTER ROLE"):
                continue
            self.assertIn(name, ("", "<unnamed>"), text)
            is_open = sessions.get(pid, False)
            self.assertNotEqual(is_open, text.startswith("BEGIN"), text)
            self.assertNotRegex(text, r"SET (?!LOCAL|TRANSACTION)|PREPARE|LISTEN|DECLARE .* WITH HOLD")
            if "CREATE TEMPORARY TABLE" in text:
                uploads += 1
                self.assertIn("ON COMMIT DROP", text)
            sessions[pid] = text not in ("COMMIT", "ROLLBACK")
        self.assertGreater(uploads, 5)
        self.assertFalse(any(sessions.values()))

    def test_flags_as_small_integers_in_a_table_without_index(self):
        columns = [r[0] for r in self.server.query(
            f"SELECT attname FROM pg_attribute WHERE attrelid = '{TABLE}'::regclass AND attnum > 0 ORDER BY attnum")]
        cast = [f"{c}::int[]::smallint[]" if "_flag_" in c else c for c in columns]
        self.copy_of_table("small", ", ".join(cast))
        done = self.run_chain(self.wsdb('table = "public.small"'), "small")
        self.assertIn('no index on source_id', done.stdout + done.stderr)
        self.assert_product(self.product("small"))
        self.server.query(f"CREATE OR REPLACE VIEW epochs AS SELECT * FROM {TABLE}")
        done = self.run_chain(self.wsdb('table = "epochs"'), "view")
        self.assertNotIn("no index", done.stdout + done.stderr)
        self.assertEqual(data_of(self.product("view")), data_of(self.product("small")))

    def test_rows_of_one_source(self):
        split = [int(i) for (i,) in self.server.query(f"SELECT source_id FROM {TABLE} GROUP BY 1 HAVING count(*) > 1")]
        self.assertTrue(split)
        self.run_chain(self.wsdb('duplicates = "error"'), "error", expect=3)
        for source, (outcome, reason) in self.outcomes(self.folder / "error").items():
            self.assertEqual(outcome == 3, source in split)
            if source in split:
                self.assertIn("2 rows", reason)
        rows = {source: row for source, row in self.rows.items() if source not in split}
        self.assert_product(self.product("error"), rows=rows)

    def test_arrays_of_unequal_lengths(self):
        self.copy_of_table("broken")
        one = list(self.rows)[0]
        self.server.query(f"UPDATE broken SET bp_mag = bp_mag[2:] WHERE source_id = {one}")
        self.run_chain(self.wsdb('table = "broken"'), "broken", expect=3)
        outcomes = self.outcomes(self.folder / "broken")
        self.assertEqual({s for s, (o, _) in outcomes.items() if o == 3}, {one})
        self.assertIn("bp_mag", outcomes[one][1])
        self.assert_product(self.product("broken"), rows={s: r for s, r in self.rows.items() if s != one})

    def test_an_array_that_is_null_empties_its_band_alone(self):
        self.copy_of_table("nulls")
        one, other = list(self.rows)[0], list(self.rows)[1]
        self.server.query(f"UPDATE nulls SET g_transit_flux = NULL WHERE source_id = {one};"
                          f"UPDATE nulls SET bp_mag = NULL, bp_flux = NULL WHERE source_id = {other}")  # fmt: skip
        done = self.run_chain(self.wsdb('table = "nulls"'), "nulls")
        self.assert_outcomes(self.folder / "nulls")
        self.assertIn("rows left empty, an array is missing", done.stdout)
        rows = dict(self.rows)
        for source, band in ((one, "g"), (other, "bp")):
            rows[source] = {name: column[:0] if band_of(name) == band else column for name, column in rows[source].items()}
        self.assert_product(self.product("nulls"), rows=rows)

    def test_row_level_security_that_hides_all_is_suspected(self):
        self.copy_of_table("hidden")
        self.server.query("ALTER TABLE hidden ENABLE ROW LEVEL SECURITY; CREATE ROLE outsider LOGIN;"
                          "GRANT SELECT ON hidden TO outsider")  # fmt: skip
        done = self.run_chain(self.wsdb('table = "hidden"', user="outsider"), "hidden")
        self.assertIn("row-level security is active on \"hidden\" for role 'outsider'", done.stderr)
        self.assertNotIn("row-level", self.run_chain(self.wsdb('table = "hidden"'), "owner").stderr)

    def test_a_role_that_is_set_to_read_only(self):
        self.server.query("CREATE ROLE visitor LOGIN; ALTER ROLE visitor SET default_transaction_read_only = on;"
                          f"GRANT USAGE ON SCHEMA gaia_dr3 TO visitor; GRANT SELECT ON {TABLE} TO visitor")  # fmt: skip
        self.run_chain(self.wsdb(user="visitor"), "visitor")
        self.assert_product(self.product("visitor"))

    def test_server_that_stops_and_comes_back(self):
        small = {"batch_rows": 2}
        self.run_chain(self.wsdb(), "whole", **small)
        for how in (signal.SIGINT, signal.SIGKILL):
            with self.subTest(how):
                # The network is silent before the server stops, so that the run is not over by then.
                proxy = self.proxy(pause_after=100_000)
                chain = self.chain(self.wsdb(port=proxy.port), name=f"{how.name}.toml", **small)
                process = self.launch("--chain", chain, "--run-dir", how.name, log=f"{how.name}.log")
                wait_until(lambda: proxy.paused, "some rows", process)
                self.server.stop(how)
                proxy.paused = False
                said = self.folder / f"{how.name}.log"
                wait_until(lambda: "next attempt" in said.read_text(), "the loss to be seen", process)
                self.server.start_again()
                self.assertEqual(process.wait(timeout=PATIENCE), 0, said.read_text())
                self.assert_outcomes(self.folder / how.name)
                self.assertEqual(data_of(self.product(how.name)), data_of(self.product("whole")))

    def test_server_that_comes_late(self):
        self.server.stop()
        try:
            process = self.launch("--chain", self.chain(self.wsdb()), "--run-dir", "late")
            wait_until(lambda: "next attempt" in self.log(), "a first attempt", process)
        finally:
            self.server.start()
        self.assertEqual(process.wait(timeout=PATIENCE), 0, self.log())
        self.assert_product(self.product("late"))

    def test_killed_and_resumed(self):
        chain = self.chain(self.wsdb(), batch_rows=4)
        begin = time.monotonic()
        self.qsohost("--chain", chain, "--run-dir", "whole")
        self.kill_and_resume(["--chain", chain], "run", time.monotonic() - begin)
        self.assert_same_files(self.folder / "whole", self.folder / "run")

    def test_interrupted_and_resumed(self):
        proxy = self.proxy(pause_after=100_000)
        chain = self.chain(self.wsdb(port=proxy.port), batch_rows=1)
        process = self.launch("--chain", chain, "--run-dir", "run")
        wait_until(lambda: proxy.paused, "some rows", process)
        for _ in range(2):
            interrupt(process)
        proxy.paused = False
        self.assertEqual(process.wait(timeout=PATIENCE), 130, self.log())
        self.qsohost("--chain", chain, "--run-dir", "run", "--resume")
        self.assert_product(self.product("run"))
        self.assert_outcomes(self.folder / "run")

    def interrupt_when_silent(self, interrupts):
        """Seconds from the last interrupt to the end of a run whose server has stopped answering."""
        proxy = self.proxy(pause_after=100_000)
        chain = self.chain(self.wsdb("lanes = 4", port=proxy.port), batch_rows=1)
        process = self.launch("--chain", chain, "--run-dir", "run")
        wait_until(lambda: proxy.paused, "some rows", process)
        for _ in range(interrupts):
            self.assertIsNone(process.poll())
            interrupt(process)
        begin = time.monotonic()
        self.assertEqual(process.wait(timeout=PATIENCE), 130, self.log())
        seconds = time.monotonic() - begin
        # Nobody is recorded as failed because the user wanted to stop.
        self.assertEqual({o for o, _ in self.outcomes(self.folder / "run").values()} - {0, 1}, set())
        proxy.paused = False
        self.qsohost("--chain", chain, "--run-dir", "run", "--resume")
        self.qsohost("--chain", self.chain(self.wsdb(), name="whole.toml", batch_rows=1), "--run-dir", "whole")
        self.assertEqual(data_of(self.product("run")), data_of(self.product("whole")))
        self.assert_product(self.product("run"))
        return seconds

    def test_first_ctrl_c_when_the_network_is_silent(self):
        # Ten to drain, two, the end of the program, and a machine that is busy; otherwise minutes.
        self.assertLess(self.interrupt_when_silent(1), 30)

    def test_second_ctrl_c_when_the_network_is_silent(self):
        self.assertLess(self.interrupt_when_silent(2), 20)

    def test_rights(self):
        self.server.query("CREATE ROLE stranger LOGIN; CREATE ROLE reader LOGIN; GRANT USAGE ON SCHEMA gaia_dr3 TO reader;"
                          f"GRANT SELECT ON {TABLE} TO reader")  # fmt: skip
        done = self.run_chain(self.wsdb(user="stranger"), "stranger", expect=1)
        self.assertIn("permission denied", done.stderr)
        self.assertIn("GRANT SELECT", done.stderr)
        self.run_chain(self.wsdb(user="reader"), "reader")
        self.assert_product(self.product("reader"))
        self.server.query("REVOKE TEMPORARY ON DATABASE postgres FROM PUBLIC")
        self.addCleanup(self.server.query, "GRANT TEMPORARY ON DATABASE postgres TO PUBLIC")
        done = self.run_chain(self.wsdb(user="reader"), "temporary", expect=1)
        self.assertIn("GRANT TEMPORARY ON DATABASE postgres TO reader", done.stderr)
        done = self.run_chain(self.wsdb(user="nobody_at_all"), "nobody", expect=1)
        self.assertIn("nobody_at_all", done.stderr)

    def test_a_standby_server_is_recognised(self):
        signal_file = self.server.folder / "data/standby.signal"

        def restart(is_standby):
            self.server.stop()
            signal_file.touch() if is_standby else signal_file.unlink()
            self.server.start()

        restart(True)
        try:
            done = self.run_chain(self.wsdb(), "standby", expect=1)
        finally:
            restart(False)
        self.assertIn("the server is a standby", done.stderr)
        self.assertNotIn("GRANT", done.stderr)

    def test_tables_that_are_not_there_or_others(self):
        done = self.run_chain(self.wsdb('release = "dr4"'), "dr4", expect=1)
        self.assertIn("gaia_dr4", done.stderr)
        done = self.run_chain(self.wsdb('table = "gaia_dr3.gaia_source"'), "source", expect=1)
        self.assertIn("g_transit_time", done.stderr)
        self.copy_of_table("texts", "*, bp_flux::text[] AS t", "LIMIT 0")
        self.server.query("ALTER TABLE texts DROP bp_flux; ALTER TABLE texts RENAME t TO bp_flux")
        done = self.run_chain(self.wsdb('table = "texts"'), "texts", expect=1)
        self.assertIn("'bp_flux'", done.stderr)

    def test_the_chain_is_checked(self):
        chain = self.chain('archive = "wsdb"\ndsn = "host=127.0.0.1 password=sesame"')
        done = self.qsohost("--chain", chain, "--check", expect=2)
        self.assertIn("password", done.stderr)
        self.assertNotIn("sesame", done.stderr)
        chain = self.chain('archive = "wsdb"\ntable = "a.b.c"')
        self.assertIn("a.b.c", self.qsohost("--chain", chain, "--check", expect=2).stderr)
        chain = self.chain(self.wsdb('release = "dr4"'))  # nothing is opened
        self.assertIn("ok, 3 stages", self.qsohost("--chain", chain, "--check").stdout)

    def test_memory_is_flat(self):
        peaks = []
        for times in (10, 100):
            fill_many(self.server, times)
            ids = [source + n * 1_000_003 for n in range(times) for source in self.rows]
            write_targets(self.folder / "targets.csv", ids)
            chain = self.chain(self.wsdb('table = "many"'), catalog="targets.csv", batch_rows=25)
            peaks.append(self.peak_memory("--chain", chain, "--run-dir", "peak", "--restart"))
            product, _ = read_table(self.product("peak"))
            self.assertEqual([int(i) for i in product["source_id"]], ids)
            np.testing.assert_array_equal(product["bp_mag"][-1], self.rows[list(self.rows)[-1]]["bp_mag"])
        print(f"peak memory: {peaks[0]} kB, and of ten times the sources {peaks[1]} kB")
        self.assertLess(peaks[1], 1.3 * peaks[0])


if __name__ == "__main__":
    unittest.main()
