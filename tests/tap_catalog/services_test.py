"""tap-catalog reads each simulated archive's table as catalogue files have it, whatever the archive
does, and asks politely."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
for folder in ("support", "skysim"):
    sys.path.append(str(HERE.parent / folder))
import numpy as np
from chains import ChainTest, read_table, wait_until
from server import Server

SKYSIM = os.environ["SKYSIM"]
ESA, VIZIER, IRSA = "/tap-server/tap", "/TAPVizieR/tap", "/TAP"
GAIA = {"table": "gaiadr3.gaia_source"}
FAULTS = "all=0.05,cut-at-line=0.05,job=0.05,400=0.02"
TRAPS = "html-502=0.05,html-200=0.05,pool-empty=0.05,null-500=0.05,see-other=0.05"
FAST = ("--time-scale", 100)

CHAIN = """
[chain]
name = "tap"
[[stage]]
use = "{use}"
label = "catalog"
{options}
[[stage]]
use = "fits-sink"
label = "sink"
what = "catalog"
path = "catalog.fits"
sort_by = "source_id"
"""


class TapCatalog(ChainTest):
    @classmethod
    def setUpClass(cls):
        cls.sky = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-tap-")) / "sky"
        cls.addClassCleanup(shutil.rmtree, cls.sky.parent, True)
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "450", "--seed", "7"],
                       check=True, capture_output=True)  # fmt: skip

    def chain(self, name, use, **options):
        lines = "\n".join(f"{key} = {json.dumps(value)}" for key, value in options.items())
        return self.write(f"{name}.toml", CHAIN.format(use=use, options=lines))

    def arguments(self, name, server, base=ESA, **options):
        chain = self.chain(name, "tap-catalog", url=server.url + base, **options)
        return "--chain", chain, "--run-dir", self.folder / name

    def table(self, name, server, base=ESA, expect=0, **options):
        """What tap-catalog makes of it."""
        done = self.qsohost(*self.arguments(name, server, base, **options), expect=expect)
        return read_table(self.folder / name / "catalog.fits")[0] if expect == 0 else done.stderr

    def file(self, name="file", path="gaia_source.fits", **options):
        """What catalog-source makes of the file."""
        chain = self.chain(name, "catalog-source", path=str(self.sky / path), **options)
        self.qsohost("--chain", chain, "--run-dir", self.folder / name)
        return read_table(self.folder / name / "catalog.fits")[0]

    def assert_same(self, table, wanted):
        self.assertEqual(list(table), list(wanted))
        for name, column in wanted.items():
            self.assertEqual(table[name].dtype.kind, column.dtype.kind, name)
            np.testing.assert_array_equal(table[name], column, name)

    def counts(self, server, service="esa", at_once=1):
        counts = server.status()["services"][service]
        self.assertLessEqual(counts["most in flight"], at_once)
        self.assertTrue(all(agent.startswith("qsohost/") for agent in counts["user agents"]))
        self.assertLess(counts.get("longest GET", 0), 4096)
        self.assertGreaterEqual(counts.get("shortest wait between looks (ms)", 300), 300)
        return counts


class Services(TapCatalog):
    def test_pages_of_esa_are_the_whole_table(self):
        """2,000 rows are all that sync gives."""
        with Server(self.sky) as server:
            table = self.table("esa", server, **GAIA)
            counts = self.counts(server)
        wanted = self.file()
        self.assert_same(table, wanted)
        self.assertGreater(len(wanted["source_id"]), 2000)
        self.assertEqual(counts["sync requests"], 1 + -(-len(wanted["source_id"]) // 1999))

    def test_a_service_that_cuts_below_the_page_is_asked_on(self):
        """Of 5,000 rows asked for, ESA gives 2,000."""
        with Server(self.sky) as server:
            table = self.table("cut", server, page_rows=5000, **GAIA)
        self.assert_same(table, self.file())

    def test_units_and_descriptions_are_the_services(self):
        with Server(self.sky) as server:
            self.table("units", server, **GAIA, columns=["parallax", "phot_g_mean_mag", "designation"])
        _, header = read_table(self.folder / "units/catalog.fits")
        units = {header[f"TTYPE{i}"]: header.get(f"TUNIT{i}", "") for i in range(1, header["TFIELDS"] + 1)}
        self.assertEqual(units, {"source_id": "", "ra": "deg", "dec": "deg", "parallax": "mas",
                                 "phot_g_mean_mag": "mag", "designation": ""})  # fmt: skip

    def test_a_condition_and_chosen_columns(self):
        columns = ["phot_g_mean_mag", "has_epoch_photometry", "designation"]
        with Server(self.sky) as server:
            table = self.table("where", server, **GAIA, columns=columns, page_rows=300,
                               where="phot_g_mean_mag < 19 OR phot_g_mean_mag > 20 -- faint")  # fmt: skip
        wanted = self.file(columns=columns)
        mag = wanted["phot_g_mean_mag"]
        keep = (mag < 19) | (mag > 20)
        self.assertTrue(0 < keep.sum() < len(keep))
        self.assert_same(table, {name: column[keep] for name, column in wanted.items()})

    def test_a_query_of_ones_own(self):
        with Server(self.sky) as server:
            table = self.table("query", server, page_rows=100, id="object", query=
                               "SELECT source_id AS object, ra, dec, bp_rp + 1 AS redder\n"
                               "FROM gaiadr3.gaia_source AS g WHERE bp_rp IS NOT NULL;  ")  # fmt: skip
        wanted = self.file(columns=["bp_rp"])
        keep = ~np.isnan(wanted["bp_rp"])
        self.assertEqual(list(table["source_id"]), list(wanted["source_id"][keep]))
        np.testing.assert_allclose(table["redder"], wanted["bp_rp"][keep] + 1, rtol=1e-6)

    def test_names_of_vizier(self):
        with Server(self.sky) as server:
            table = self.table("vizier", server, VIZIER, table="I/355/gaiadr3", id="Source", ra="RA_ICRS",
                               dec="DE_ICRS", columns=["Gmag", "Plx"])  # fmt: skip
        wanted = self.file(columns=["phot_g_mean_mag", "parallax"])
        for name, column in zip(table, wanted.values()):
            np.testing.assert_array_equal(table[name], column, name)

    def test_a_table_of_irsa(self):
        """Null is the word null there."""
        with Server(self.sky) as server:
            table = self.table("irsa", server, IRSA, table="ztf_objects_dr24", id="oid", columns=["nobs", "fid"])
        self.assert_same(table, self.file(path="ztf_objects.fits", id="oid", columns=["nobs", "fid"]))

    def test_no_row(self):
        with Server(self.sky) as server:
            table = self.table("none", server, **GAIA, where="ra > 400", columns=["parallax"])
        self.assertEqual(list(table), ["source_id", "ra", "dec", "parallax"])
        self.assertEqual(len(table["ra"]), 0)


class Jobs(TapCatalog):
    OPTIONS = {**GAIA, "mode": "async", "page_rows": 700, "columns": ["parallax", "designation"]}

    def test_jobs_are_looked_at_seldom_and_deleted(self):
        with Server(self.sky) as server:
            table = self.table("jobs", server, **self.OPTIONS)
            counts = self.counts(server)
        self.assert_same(table, self.file(columns=self.OPTIONS["columns"]))
        self.assertEqual(counts["deleted jobs"], counts["jobs"])
        self.assertEqual(counts["unfinished jobs"], 0)
        self.assertNotIn("sync requests", counts)

    def test_stuck_and_failed_jobs_are_created_again(self):
        with Server(self.sky, "--traps", "stuck-job=0.2", "--faults", "job=0.2") as server:
            table = self.table("stuck", server, job_timeout=6, **self.OPTIONS)
            counts = self.counts(server)
        self.assertIn("shortest wait between looks (ms)", counts)  # there was a stuck job
        self.assert_same(table, self.file(columns=self.OPTIONS["columns"]))
        self.assertEqual(counts["deleted jobs"], counts["jobs"])
        self.assertEqual(counts["unfinished jobs"], 0)


class Trouble(TapCatalog):
    def test_faults_and_traps_change_nothing(self):
        wanted = self.file(columns=["parallax"])
        for mode in ("sync", "async"):
            with self.subTest(mode), Server(self.sky, "--faults", FAULTS, "--traps", TRAPS, *FAST) as server:
                table = self.table(f"faults_{mode}", server, **GAIA, mode=mode, page_rows=100, timeout=3,
                                   columns=["parallax"])  # fmt: skip
                # The server does not see at once that a request was given up.
                self.counts(server, at_once=3)
                self.assert_same(table, wanted)

    def test_killed_and_resumed_without_asking_twice(self):
        wanted = self.file(columns=["parallax"])
        for mode in ("sync", "async"):
            with self.subTest(mode), Server(self.sky) as server:
                name = f"killed_{mode}"
                options = {**GAIA, "mode": mode, "page_rows": 200, "columns": ["parallax"]}
                args = self.arguments(name, server, **options)
                done = "sync requests" if mode == "sync" else "deleted jobs"
                process = self.launch(*args)
                wait_until(lambda: server.status()["services"]["esa"].get(done, 0) > 3, "pages", process)
                process.kill()
                process.wait()
                self.qsohost(*args, "--resume")
                table = read_table(self.folder / name / "catalog.fits")[0]
                self.assert_same(table, wanted)
                counts = self.counts(server)
                queries = 1 + -(-len(table["ra"]) // 199)
                asked = counts["sync requests" if mode == "sync" else "jobs"]
                self.assertLessEqual(asked, queries + 1)  # the one under way when it was killed
                if mode == "async":
                    # Nobody can delete a job whose address was lost with the process.
                    unknown = max(0, asked - queries)
                    self.assertGreaterEqual(counts["deleted jobs"], counts["jobs"] - unknown)

    def test_an_error_of_the_archive_is_shown(self):
        with Server(self.sky) as server:
            words = self.table("error", server, expect=1, **GAIA, where="no_such_column > 0")
        self.assertIn("no_such_column", words)
        self.assertIn("unresolved", words)

    def test_identifiers_that_repeat_are_refused(self):
        with Server(self.sky) as server:
            words = self.table("twice", server, VIZIER, expect=1, id="SolID", ra="RA_ICRS", dec="DE_ICRS",
                               table="I/355/gaiadr3")  # fmt: skip
        self.assertIn("is there twice", words)

    def test_options_that_exclude_each_other(self):
        for options, words in (({}, "either 'query' or 'table'"),
                               ({"query": "SELECT 1", "where": "ra > 1"}, "belong to 'table'"),
                               ({**GAIA, "page_rows": 1}, "must be 2 or more")):  # fmt: skip
            chain = self.chain("options", "tap-catalog", url="http://127.0.0.1:1/tap", **options)
            self.assertIn(words, self.qsohost("--check", "--chain", chain, expect=2).stderr)


if __name__ == "__main__":
    unittest.main()
