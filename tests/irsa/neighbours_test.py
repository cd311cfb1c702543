"""Stars beside quasars: whose epochs ztf-files and irsa-ztf take, and what is said of it."""

import sqlite3
import subprocess
import unittest

import numpy as np

from support import SKYSIM, IrsaTest, read_product
from server import Server  # found through support

SKY = 600  # a dozen have a star inside 2 arcsec

CHAIN = """
[chain]
name = "sky"
[[stage]]
use = "catalog-source"
path = "{targets}"
[[stage]]
use = "{use}"
label = "ztf"
{options}
[[stage]]
use = "fits-sink"
label = "raw"
what = "ztf"
columns = ["mjd", "mag", "oid"]
[[stage]]
use = "fits-sink"
label = "sources"
what = "ztf.sources"
path = "sources_{{band}}.fits"
[[stage]]
use = "ztf-quality"
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["ztf.g", "ztf.r"]
rule = "predictive"
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
"""


def of_quasar(oids):
    """skysim numbers a quasar's sources 3 n + 1, those of its neighbours 3 n + 2 and 3 n + 3."""
    return np.asarray(oids) % 100_000_000 % 3 == 1


class Neighbours(IrsaTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sky = cls.folder / "neighbours"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", str(SKY), "--seed", "1", "--answers"],
                       check=True, capture_output=True)  # fmt: skip
        truth, _ = read_product(cls.sky / "truth.fits")
        ids = {str(n) for n in truth["source_id"][(truth["has_neighbour"] != 0) & (truth["in_ztf"] != 0)]}
        header, *lines = (cls.sky / "targets.csv").read_text().splitlines()
        lines = [line for line in lines if line.partition(",")[0] in ids]
        cls.ids = [line.partition(",")[0] for line in lines]
        cls.targets = cls.folder / "near.csv"
        cls.targets.write_text("\n".join([header, *lines]) + "\n")

    def run_chain(self, name, use, options):
        chain = self.folder / f"{name}.toml"
        chain.write_text(CHAIN.format(targets=self.targets, use=use, options=options))
        return self.qsohost(chain)

    def run_files(self, name, options="", answers=None):
        answers = answers or self.sky / "irsa"
        return self.run_chain(name, "ztf-files", f'path = "{answers}/{{source_id}}.csv"\n{options}')

    def details(self, run):
        lines = self.status(run, "--matched").splitlines()[1:]
        return {line.split("\t")[0]: line.split("\t")[-1] for line in lines}

    def assert_of_quasars(self, run):
        product, _ = read_product(run / "sky_ztf_lc.fits")
        epochs = 0
        for band in "gri":
            for oids in product[f"oid_{band}"]:
                self.assertTrue(of_quasar(oids).all())
                epochs += len(oids)
        self.assertGreater(epochs, 100 * len(self.ids))

    def removed(self, run):
        """The part of its epochs that ou-loo removed of each fitted light curve."""
        parts = []
        for band in "gr":
            loo, _ = read_product(run / f"sky_loo_ztf_{band}.fits")
            is_fitted = np.isfinite(loo["log_tau_full"])
            parts += list(loo["n_removed"][is_fitted] / loo["n_epochs"][is_fitted])
        return parts

    def test_by_default_only_epochs_of_the_quasars(self):
        self.assertGreaterEqual(len(self.ids), 8)
        run = self.run_files("nearest")
        self.assert_of_quasars(run)
        product, _ = read_product(run / "sky_ztf_lc.fits")
        with sqlite3.connect(run / ".qsohost/run.db") as ledger:
            epochs = dict(ledger.execute("SELECT source_id, epochs FROM object WHERE stage = 1"))
        for i, source in enumerate(self.ids):
            self.assertEqual(epochs[source], sum(len(product[f"mjd_{b}"][i]) for b in "gri"))
        removed = self.removed(run)
        self.assertGreater(len(removed), len(self.ids))
        self.assertLess(max(removed), 0.1)
        for source, detail in self.details(run).items():
            self.assertIn("left out", detail, source)
        for band in "gr":
            sources, _ = read_product(run / f"sources_{band}.fits")
            self.assertEqual(sum(sources["n_neighbours"]) + sum(sources["n_two_sources"]), 0)
            for i in range(len(self.ids)):
                np.testing.assert_array_equal(sources["n_epochs"][i] > 0, of_quasar(sources["oid"][i]))

    def test_a_field_in_which_only_the_star_was_found(self):
        """As where the star outshines the quasar."""
        answers = self.folder / "blended"
        answers.mkdir()
        changed = 0
        for source in self.ids:
            header, *rows = (self.sky / f"irsa/{source}.csv").read_text().splitlines()
            oids = {int(row.partition(",")[0]) for row in rows}
            first = min(oid // 10**12 for oid in oids if of_quasar(oid))
            kept = [r for r in rows if not of_quasar(oid := int(r.partition(",")[0])) or oid // 10**12 == first]
            changed += len(kept) < len(rows)
            (answers / f"{source}.csv").write_text("\n".join([header, *kept]) + "\n")
        self.assertGreater(changed, 2)
        self.assert_of_quasars(self.run_files("blended_run", answers=answers))

    def test_all_sources_are_taken_where_the_chain_says_so_and_told(self):
        run = self.run_files("all", 'objects = "all"')
        product, _ = read_product(run / "sky_ztf_lc.fits")
        details = self.details(run)
        for band in "gr":
            sources, _ = read_product(run / f"sources_{band}.fits")
            for i, source in enumerate(self.ids):
                mjd, mag, oid = (product[f"{c}_{band}"][i] for c in ("mjd", "mag", "oid"))
                shared = np.intersect1d(mjd[of_quasar(oid)], mjd[~of_quasar(oid)])
                apart = sources["n_two_sources"][i]
                self.assertLessEqual(apart, len(shared))
                self.assertGreaterEqual(apart, 0.5 * len(shared), f"{source} {band}")
                self.assertEqual(sources["n_neighbours"][i], len(set(oid[~of_quasar(oid)])))
                self.assertEqual(f"exposures of {band}" in details[source], apart > 0)
                for k, one in enumerate(sources["oid"][i]):
                    self.assertEqual(sources["n_epochs"][i][k], np.sum(oid == one))
                    self.assertAlmostEqual(sources["mean_mag"][i][k], np.mean(mag[oid == one]), 3)
                    self.assertIn(f"{one} ({band} {sources['mean_mag'][i][k]:.2f} at ", details[source])

    def test_the_archive_gives_the_same_as_its_answers_on_disk(self):
        with Server(self.sky) as server:
            for options in ("", 'objects = "all"\nalign_oids = "median"'):
                name = "aligned" if options else "plain"
                files = self.run_files(f"{name}_files", options)
                asked = f'url = "{server.url}"\nconfirm_after = 0.05\nquery_by = "ids"\n{options}'
                archive = self.run_chain(f"{name}_archive", "irsa-ztf", asked)
                self.assertEqual(self.details(files), self.details(archive))
                for product in ("sky_ztf_lc.fits", "sources_g.fits", "sources_r.fits", "sources_i.fits"):
                    one, _ = read_product(files / product)
                    two, _ = read_product(archive / product)
                    self.assertEqual(list(one), list(two))
                    for column in one:
                        for a, b in zip(one[column], two[column]):
                            np.testing.assert_array_equal(a, b, f"{product} {column}")


if __name__ == "__main__":
    unittest.main()
