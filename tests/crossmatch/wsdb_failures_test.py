"""wsdb-crossmatch when things go wrong: servers that die, users that stop, mistakes, and passwords."""

import pathlib
import shutil
import signal
import subprocess
import time
import unittest

from wsdb_support import PATIENCE, Proxy, SkyInDatabase, interrupt, needs_postgres, wait_until

PASSWORD = "Xyzzy-4711"


@needs_postgres
class Failures(SkyInDatabase):
    SOURCES = 3000

    def product(self):
        return (self.folder / "run/match_catalog.fits").read_bytes()

    def undisturbed(self, **options):
        """The product of a run in which nothing happens. The dsn stands in the product, so it must
        be the same one."""
        self.run_chain(self.chain(**options), "--restart")
        return self.product()

    def received(self, name):
        """The file of what came from the server; None if it is not there."""
        return next((self.folder / "run").rglob(name), None)

    def proxy(self, most, hook):
        proxy = Proxy(int(self.dsn().split("port=")[1].split()[0]), most, hook)
        self.addCleanup(proxy.close)
        return proxy

    def kill_when_there(self, chain, name, *args):
        """A run is killed when it has this file, and before it is done: on a busy machine that may
        take more than one run."""
        for _ in range(20):
            process = self.start(chain, *args)
            wait_until(lambda: self.received(name) or process.poll() is not None, name)
            process.kill()
            process.communicate()
            if self.received(name) and not (self.folder / "run/match_catalog.fits").exists():
                return
            shutil.rmtree(self.folder / "run")
        self.fail("every run was done before it was killed")

    def active(self):
        """What the server is doing for us."""
        return self.server.query(
            "SELECT query FROM pg_stat_activity WHERE state = 'active' AND application_name = 'qsohost'"
        )

    def statements(self):
        return (self.server.folder / "log").read_text(errors="replace").count(": COPY (WITH pairs")

    def test_server_dies_in_mid_stream_and_comes_back(self):
        def restart():
            self.server.stop(signal.SIGKILL)
            self.server.start_again()

        proxy = self.proxy(3_000_000, restart)
        chain = self.chain(dsn=self.dsn(port=proxy.port))
        said = self.run_chain(chain)
        self.assertIn("next attempt", said)
        self.assertGreaterEqual(proxy.connections, 2)
        self.assertEqual(self.product(), self.undisturbed(dsn=self.dsn(port=proxy.port)))

    def test_connection_lost_twice(self):
        limits = [1_500_000]

        def again():
            proxy.left = limits.pop() if limits else None

        proxy = self.proxy(400_000, again)
        said = self.run_chain(self.chain(dsn=self.dsn(port=proxy.port)))
        self.assertEqual(said.count("next attempt"), 2, said)
        self.assertEqual(self.product(), self.undisturbed(dsn=self.dsn(port=proxy.port)))

    def test_rows_that_changed_meanwhile_are_no_answer(self):
        def change():
            self.server.query("UPDATE sdssdr16qso.main SET z = z + 1")

        proxy = self.proxy(3_000_000, change)
        said = self.run_chain(self.chain(dsn=self.dsn(port=proxy.port)), expect=1)
        self.assertIn("other rows than it gave before", said)
        self.assertIn("--restart", said)

    def test_ctrl_c_cancels_the_query(self):
        chain = self.chain(where="pg_sleep(0.05) IS NOT NULL")
        process = self.start(chain)
        self.addCleanup(process.kill)
        wait_until(self.active, "the query")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=PATIENCE)
        self.assertEqual(process.returncode, 130, err + out)
        wait_until(lambda: not self.active(), "the end of the query")
        self.assertIn("--resume", err + out)

    def test_second_ctrl_c_when_the_network_is_silent(self):
        proxy = self.proxy(None, None)
        process = self.start(self.chain(dsn=self.dsn(port=proxy.port), where="pg_sleep(0.05) IS NOT NULL"))
        self.addCleanup(process.kill)
        wait_until(self.active, "the query")
        proxy.paused = True
        interrupt(process)
        process.send_signal(signal.SIGINT)
        begin = time.monotonic()
        out, err = process.communicate(timeout=PATIENCE)
        # Two, the end of the program, and a machine that is busy; otherwise for ever.
        self.assertLess(time.monotonic() - begin, 20, err + out)
        self.assertEqual(process.returncode, 130, err + out)

    def test_killed_when_all_is_received(self):
        self.server.query("ALTER SYSTEM SET log_statement = 'all'")
        self.server.query("SELECT pg_reload_conf()")
        chain = self.chain(batch_rows=4)
        whole = self.undisturbed(batch_rows=4)
        self.kill_when_there(chain, "match.copy", "--restart")
        before = self.statements()
        self.assertGreaterEqual(before, 2)
        self.server.stop()
        try:
            said = self.run_chain(chain, "--resume")  # there is nobody to ask
        finally:
            self.server.start()
        self.assertIn("not asked again", said)
        self.assertEqual(self.statements(), before)
        self.assertEqual(self.product(), whole)
        self.assertFalse((self.folder / "run/.qsohost/received").exists())

    def test_killed_in_mid_stream(self):
        def pause():
            proxy.paused = True

        proxy = self.proxy(3_000_000, pause)
        dsn = self.dsn(port=proxy.port)
        chain = self.chain(dsn=dsn, batch_rows=50)
        process = self.start(chain)
        part = self.folder / "run/.qsohost/received/match.part"
        chunks = self.folder / "run/.qsohost/chunks"
        wait_until(lambda: proxy.paused, "some rows")
        self.assertGreater(part.stat().st_size, 1_000_000)
        wait_until(lambda: len(list(chunks.rglob("*.fits"))) > 3, "some batches")
        process.kill()
        process.communicate()
        proxy.paused = False
        self.run_chain(chain, "--resume")
        self.assertEqual(self.product(), self.undisturbed(dsn=dsn, batch_rows=50))

    def test_a_damaged_spool_is_asked_for_again(self):
        """As a power cut leaves it: what was not yet on disk is missing or reads as zeros."""

        def zeros(file, size):
            file.seek(size - size // 3)
            file.write(bytes(size // 3))

        def cut(file, size):
            file.truncate(size // 2)

        def pause():
            proxy.paused = True

        proxy = self.proxy(None, pause)
        options = {"dsn": self.dsn(port=proxy.port), "batch_rows": 20}
        chain = self.chain(**options)
        whole = self.undisturbed(**options)
        for name, most in (("match.part", 3_000_000), ("match.copy", None)):
            for damage in (zeros, cut):
                with self.subTest(name=name, damage=damage.__name__):
                    shutil.rmtree(self.folder / "run")
                    proxy.left = most
                    if most:
                        process = self.start(chain)
                        wait_until(lambda: proxy.paused, "rows", process)
                        process.kill()
                        process.communicate()
                    else:
                        self.kill_when_there(chain, name)
                    proxy.paused = False
                    with open(self.received(name), "r+b") as file:
                        damage(file, file.seek(0, 2))
                    said = self.run_chain(chain, "--resume")
                    self.assertIn("not as it was written", said)
                    self.assertEqual(self.product(), whole)

    def test_mistakes_are_reported(self):
        for options, words in (
            ({"left": "sdssdr16qso.mian"}, ["sdssdr16qso.mian", "names of the tables"]),
            ({"left": "nowhere.main"}, ["nowhere"]),
            ({"where": "is_final = 1"}, ["option 'where' (is_final = 1)", '"is_final" does not exist']),
            ({"where": "is_qso_final = ="}, ["option 'where'", "syntax error"]),
            ({"right_ra": "raj2000"}, ["raj2000", "option 'right_ra'"]),
            ({"left_dec": "sdss_name"}, ["column 'sdss_name' (option 'left_dec')", "numbers"]),
            ({"id": "parallax"}, ["column 'parallax' (option 'id')", "integers or texts"]),
            ({"columns": ["redshift"]}, ["redshift"]),
            ({"dsn": self.dsn(dbname="elsewhere")}, ["elsewhere", "option 'dsn'"]),
            ({"dsn": "no_such_service"}, ["no_such_service", "pg_service.conf"]),
            ({"dsn": self.dsn(sslmode="require")}, ["server does not support SSL", "sslmode=prefer"]),
            ({"dsn": self.dsn(sslmode="requre")}, ['invalid sslmode value: "requre"', "verify-full"]),
            ({"dsn": self.dsn(port="5432x")}, ["invalid integer value", "correct the dsn"]),
            ({"dsn": self.dsn(user="nobody_here")}, ['role "nobody_here" does not exist', "check user"]),
        ):
            with self.subTest(options):
                said = self.run_chain(self.chain(**options), "--restart", expect=1)
                for word in words:
                    self.assertIn(word, said)
                self.assertNotIn("next attempt", said)

    def test_no_q3c(self):
        self.server.query("CREATE DATABASE plain")
        dsn = self.dsn(dbname="plain")
        for table in ("lefts(ra float8, dec float8)", "rights(source_id int8, ra float8, dec float8)"):
            subprocess.run(["psql", "-qX", dsn, "-c", f"CREATE TABLE {table}"], check=True)
        said = self.run_chain(self.chain(dsn=dsn, left="lefts", right="rights"), expect=1)
        self.assertIn("database 'plain' does not have the extension q3c", said)
        self.assertIn("CREATE EXTENSION q3c", said)

    def test_no_index(self):
        self.server.query("CREATE TABLE bare AS SELECT * FROM gaia_dr3.gaia_source LIMIT 100")
        options = {"right": "bare", "columns": ["sdss_name"]}
        said = self.run_chain(self.chain(**options))
        self.assertIn("will not use a q3c index", said)
        self.assertIn('CREATE INDEX ON "bare"', said)
        self.server.query("CREATE INDEX ON bare (q3c_ang2ipix(ra, dec)); ANALYZE bare")
        self.assertNotIn("q3c index", self.run_chain(self.chain(**options), "--restart"))

    def test_no_rights(self):
        self.server.query("CREATE ROLE guest LOGIN")
        chain = self.chain(dsn=self.dsn(user="guest"))
        self.assertIn("permission denied", self.run_chain(chain, expect=1))
        self.server.query("GRANT USAGE ON SCHEMA sdssdr16qso, gaia_dr3 TO guest")
        said = self.run_chain(chain, "--restart", expect=1)
        self.assertIn("permission denied", said)
        self.assertIn("GRANT SELECT", said)
        self.server.query(
            "GRANT SELECT ON ALL TABLES IN SCHEMA sdssdr16qso TO guest;"
            "GRANT SELECT ON ALL TABLES IN SCHEMA gaia_dr3 TO guest"
        )
        self.run_chain(chain, "--restart")

    def test_a_dsn_with_a_password_is_refused(self):
        for dsn in (
            self.dsn(password=PASSWORD),
            f"postgresql://tester:{PASSWORD}@127.0.0.1/postgres",
            f"postgresql://tester:{PASSWORD}@127.0.0.1:no-port/postgres",
            f"host=localhost password={PASSWORD} and more",
        ):
            said = self.run_chain(self.chain(dsn=dsn), expect=2)
            self.assertNotIn(PASSWORD, said)
            self.assertIn("dsn", said)
            self.assertFalse((self.folder / "run").exists())

    def test_passwords_are_nowhere(self):
        self.server.query(
            f"CREATE ROLE member LOGIN PASSWORD '{PASSWORD}'; GRANT tester TO member"
        )
        rules = self.server.folder / "data/pg_hba.conf"
        rules.write_text("host all member 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
        self.server.query("SELECT pg_reload_conf()")
        chain = self.chain(dsn=self.dsn(user="member"), columns=["sdss_name"])

        wrong = self.run_chain(chain, expect=1, env={"PGPASSWORD": PASSWORD + "-not"})
        self.assertIn("password authentication failed", wrong)
        self.assertIn("~/.pgpass", wrong)
        self.assertNotIn("next attempt", wrong)
        none = self.run_chain(chain, "--restart", expect=1, env={"PGPASSFILE": "/dev/null"})
        self.assertIn("no password supplied", none)

        said = self.run_chain(chain, "--restart", "--trace", self.folder / "trace",
                              env={"PGPASSWORD": PASSWORD})  # fmt: skip
        passfile = self.folder / "passwords"
        passfile.write_text(f"*:*:*:member:{PASSWORD}\n")
        passfile.chmod(0o600)
        said += self.run_chain(chain, "--restart", env={"PGPASSFILE": str(passfile)})
        passfile.unlink()
        self.assertNotIn(PASSWORD, wrong + none + said)
        written = [p for p in pathlib.Path(self.folder).rglob("*") if p.is_file()]
        self.assertIn(self.folder / "run/.qsohost/run.db", written)
        for path in written:
            self.assertNotIn(PASSWORD.encode(), path.read_bytes(), path)


if __name__ == "__main__":
    unittest.main()
