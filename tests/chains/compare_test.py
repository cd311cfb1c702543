"""`--swap` of a fitter, and `qsohost compare`: several fitters on the same light curves."""

import csv
import itertools
import math
import random
import re
import unittest

import numpy as np
from astropy.io import fits
from support import ChainTest, read_table

CHAIN = """
[chain]
name = "few"
batch_rows = 4
[[stage]]
use = "lightcurve-source"
paths = ["curves.fits"]
[[stage.band]]
group = "a.g"
time = "t_g"
mag = "m_g"
mag_err = "e_g"
[[stage.band]]
group = "a.r"
time = "t_r"
mag = "m_r"
mag_err = "e_r"
[[stage]]
use = "fits-sink"
label = "before"
what = "catalog"
[[stage]]
use = "ou-loo"
label = "loo"
groups = ["a.g", "a.r"]
rest_frame = false
mean = "profiled"
rule = "influence"
max_passes = 2
"""

DROP = """
[[stage]]
use = "drop-epochs"
label = "drop"
"""

RESULTS = """
[[stage]]
use = "fits-sink"
label = "results"
what = "loo"
"""


def light_curve(seed, n):
    """A damped random walk, sigma 0.15, tau 100 d, errors of 0.02."""
    rng = random.Random(seed)
    value, before, epochs = rng.gauss(0, 0.15), None, []
    for mjd in sorted(rng.uniform(58200, 59900) for _ in range(n)):
        if before is not None:
            decay = math.exp(-(mjd - before) / 100)
            value = value * decay + rng.gauss(0, 0.15 * math.sqrt(1 - decay * decay))
        before = mjd
        epochs.append((mjd, 18 + value + rng.gauss(0, 0.02), 0.02))
    return epochs


def arrays(curves, k):
    out = np.empty(len(curves), dtype=object)
    for i, curve in enumerate(curves):
        out[i] = np.array([epoch[k] for epoch in curve], dtype=float)
    return out


class Fitters(ChainTest):
    def setUp(self):
        super().setUp()
        self.objects = 9
        columns = [
            fits.Column("source_id", "K", array=np.arange(self.objects) + 5 * 10**15),
            fits.Column("z", "D", array=np.full(self.objects, 0.5)),
        ]
        for seed, band in enumerate("gr"):
            curves = [light_curve(100 * seed + i, 40 + 3 * i) for i in range(self.objects)]
            if band == "r":
                curves[2] = curves[2][:14]
                curves[5] = curves[5][:4]
            for k, name in enumerate("tme"):
                columns.append(fits.Column(f"{name}_{band}", "PD()", array=arrays(curves, k)))
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / "curves.fits")
        self.chain = self.write("chain.toml", CHAIN + RESULTS)

    def compare(self, *args, expect=0):
        return self.qsohost("compare", "--chain", self.chain, *args, expect=expect)


class Swap(Fitters):
    def test_options_carry_over_and_others_are_named_once(self):
        done = self.qsohost("--chain", self.chain, "--swap", "loo=dho", "--set", "loo.min_points=20")
        warnings = [line for line in done.stderr.splitlines() if "warning" in line]
        self.assertEqual(
            warnings,
            ["--swap loo=dho: warning: loo: 'dho' has no option max_passes, rule of 'ou-loo'; left out"],
        )
        table, header = read_table(self.folder / "few.run/few_loo_a_r.fits")
        self.assertIn("log_alpha_1", table)
        self.assertIn('loo.mean = "profiled"', str(header["HISTORY"]).replace("\n", ""))
        # min_points of the command line went to dho.
        self.assertEqual([int(n) for n in table["n_epochs"][table["flags"] & 1 == 1]], [14, 4])

    def test_a_column_that_is_missed_is_named_with_what_to_do(self):
        self.write("chain.toml", CHAIN + RESULTS + DROP)
        self.qsohost("--chain", self.chain, "--check")
        text = self.qsohost("--chain", self.chain, "--swap", "loo=dho", "--check", expect=2).stderr
        self.assertRegex(text, r"chain\.toml:\d+:\d+: drop ")
        self.assertIn(
            "before the swap 'loo' gave 'keep' of group 'a.g' and 'keep' of group 'a.r': take "
            "'drop' out of the chain, or swap in a stage that gives this too", text
        )  # fmt: skip
        sink = RESULTS + 'columns = ["log_sigma_post"]\n'
        self.write("chain.toml", CHAIN + sink)
        text = self.qsohost("--chain", self.chain, "--swap", "loo=ou-fit", expect=2).stderr
        self.assertIn("'loo.a.g.log_sigma_post'", text)
        self.assertIn("take 'results' out", text)

    def test_no_hint_where_the_swap_is_not_the_cause(self):
        self.write("chain.toml", CHAIN + DROP.replace("drop-epochs", "require") + 'columns = ["q"]\n')
        text = self.qsohost("--chain", self.chain, "--swap", "loo=dho", expect=2).stderr
        self.assertIn("'q'", text)
        self.assertNotIn("before the swap", text)


class Compare(Fitters):
    def number_after(self, text, pattern):
        found = re.search(pattern, text, re.MULTILINE)
        self.assertIsNotNone(found, f"no {pattern} in\n{text}")
        return [float(x.replace(",", "")) for x in found.groups()]

    def check_pair(self, text, table, first, second, leave_out=0):
        """The numbers of a pair's tables, one a light curve, recomputed."""
        for group in ("a.g", "a.r"):
            block = text[text.index(f"{first} - {second}, {group}") :].split("\n\n")[0]
            a, b = (table[(table["fitter"] == f) & (table["group"] == group)] for f in (first, second))
            both = (a["failure"] == "") & (b["failure"] == "")
            both &= ((a["flags"] | b["flags"]) & leave_out) == 0
            for name, column in (("AIC", "aic"), ("BIC", "bic")):
                difference = (a[column] - b[column])[both]
                n, median, prefer_a, prefer_b = self.number_after(
                    block, rf"^{name} +(\S+) +(\S+) +(\S+) +(\S+)$"
                )
                self.assertEqual(n, both.sum())
                self.assertAlmostEqual(median, np.median(difference), delta=5e-4 * abs(median))
                self.assertEqual(
                    [prefer_a, prefer_b], [(difference < 0).sum(), (difference > 0).sum()]
                )
            has_chi2 = "ou-loo" not in (first, second)
            for name in ("loglike", "log_sigma", "mean", "sf_inf", *["chi2"] * has_chi2):
                n, median = self.number_after(block, rf"^{name} +(\S+) +(\S+)$")
                difference = (a[name] - b[name])[both]
                self.assertEqual(n, both.sum())
                self.assertAlmostEqual(median, np.median(difference), delta=5e-4 * abs(median) + 1e-12)

    def read(self, name):
        table, _ = read_table(self.folder / name)
        return np.rec.fromarrays(
            [np.char.strip(c) if c.dtype.kind in "US" else c for c in table.values()],
            names=list(table),
        )

    def test_the_summary_is_that_of_the_table(self):
        done = self.compare("--fitters", "ou-fit,dho,structure-function", "--out", "t.fits")
        table = self.read("t.fits")
        self.assertEqual(len(table), self.objects * 2 * 3)
        order = [(i, g, f) for i, g, f in zip(table["source_id"], table["group"], table["fitter"])]
        ids = np.arange(self.objects) + 5 * 10**15
        groups, fitters = ["a.g", "a.r"], ["ou-fit", "dho", "structure-function"]
        self.assertEqual(order, list(itertools.product(ids, groups, fitters)))
        self.check_pair(done.stdout, table, "ou-fit", "dho")
        for name, group in itertools.product(fitters, groups):
            rows = table[(table["fitter"] == name) & (table["group"] == group)]
            n, failed, median = self.number_after(
                done.stdout, rf"^{name} +{group} +(\S+) +(\S+) +(\d\S+)"
            )
            self.assertEqual([n, failed], [9, (rows["failure"] != "").sum()])
            self.assertAlmostEqual(median, 1e3 * np.median(rows["seconds"]), delta=1e-3 * median)
            self.assertTrue((rows["seconds"] >= 0).all())
        walk, oscillator = (table[table["fitter"] == f] for f in fitters[:2])
        good = walk["failure"] == ""
        # The damped random walk is a limit of the oscillator.
        self.assertTrue((oscillator["loglike"] > walk["loglike"] - 1e-4)[good].all())
        self.assertTrue(np.isnan(oscillator["log_tau"]).all())
        self.assertTrue(np.isnan(walk["log_xi"]).all())
        self.assertEqual(set(walk["band"]), {"g", "r"})
        self.assertIn("few", self.compare("--fitters", "ou-fit", "--limit", "1").stdout)
        self.assertTrue((self.folder / "few_comparison.fits").exists())

    def test_csv_and_threads_do_not_change_the_table(self):
        self.compare("--fitters", "ou-fit,dho", "--out", "a.csv", "-j", "1")
        self.compare("--fitters", "ou-fit,dho", "--out", "b.csv", "-j", "3")
        self.compare("--fitters", "ou-fit,dho", "--out", "c.fits")

        def rows(name):
            with open(self.folder / name, newline="") as file:
                return [{**row, "seconds": ""} for row in csv.DictReader(file)]

        self.assertEqual(rows("a.csv"), rows("b.csv"))
        table = self.read("c.fits")
        for row, other in zip(rows("a.csv"), table):
            self.assertEqual(row["fitter"], other["fitter"])
            if row["loglike"]:
                self.assertEqual(float(row["loglike"]), other["loglike"])
            else:
                self.assertTrue(np.isnan(other["loglike"]))
        left = sorted(p.name for p in self.folder.iterdir())
        self.assertEqual(left, ["a.csv", "b.csv", "c.fits", "chain.toml", "curves.fits"])

    def test_a_light_curve_that_one_fitter_fails_is_compared_for_the_others(self):
        done = self.compare("--fitters", "ou-fit,dho", "--set", "dho.min_points=20", "--out", "t.fits")
        table = self.read("t.fits")
        bad = table[table["failure"] != ""]
        self.assertEqual(
            [(i % 100, g, f, n) for i, g, f, n in bad[["source_id", "group", "fitter", "n_epochs"]]],
            [(2, "a.r", "dho", 14), (5, "a.r", "ou-fit", 4), (5, "a.r", "dho", 4)],
        )
        self.assertEqual(set(bad["failure"]), {"too few epochs"})
        self.assertRegex(done.stdout, r"(?m)^dho +a\.r +2 +too few epochs$")
        self.assertRegex(done.stdout, r"(?m)^ou-fit +a\.r +1 +too few epochs$")
        self.check_pair(done.stdout, table, "ou-fit", "dho")

    def test_options_of_the_replaced_stage_go_to_all_fitters(self):
        self.compare("--fitters", "ou-fit,dho", "--set", "loo.min_points=45", "--out", "t.fits")
        table = self.read("t.fits")
        for name in ("ou-fit", "dho"):
            rows = table[table["fitter"] == name]
            self.assertTrue(((rows["failure"] != "") == (rows["n_epochs"] < 45)).all())

    def test_cleaning_is_compared_by_the_fits_of_all_epochs(self):
        done = self.compare("--fitters", "ou-fit,ou-loo", "--out", "t.fits",
                            "--set", "ou-loo.min_abs_delta_logD=0.05")  # fmt: skip
        table = self.read("t.fits")
        walk, loo = (table[table["fitter"] == f] for f in ("ou-fit", "ou-loo"))
        good = walk["failure"] == ""
        np.testing.assert_array_equal(walk["loglike"], loo["loglike"])
        np.testing.assert_array_equal(walk["bic"], loo["bic"])
        np.testing.assert_array_equal(walk["n_epochs"], loo["n_epochs"])
        np.testing.assert_array_equal(walk["n_parameters"][good], loo["n_parameters"][good])
        self.assertGreater(loo["n_removed"][good].sum(), 0)
        removed = good & (loo["n_removed"] > 0)
        self.assertTrue((loo["loglike"] != loo["loglike_post"])[removed].all())
        self.check_pair(done.stdout, table, "ou-fit", "ou-loo")
        self.assertNotIn("_post ", done.stdout)
        self.assertIn("ou-loo: its fits of all epochs (..._full) are compared", done.stdout)

    def test_a_jitter_is_a_parameter_and_counted_by_light_curve(self):
        done = self.compare(
            "--fitters", "ou-fit,dho", "--set", "ou-fit.jitter=fit", "--out", "t.fits"
        )
        table = self.read("t.fits")
        fitted = table[(table["fitter"] == "ou-fit") & (table["failure"] == "")]
        self.assertEqual(set(fitted["n_parameters"]), {4})
        for group in ("a.g", "a.r"):
            rows = fitted[fitted["group"] == group]
            at_bound = rows["log_jitter"] == fitted["log_jitter"].min()
            self.assertTrue(0 < at_bound.sum() < len(rows))  # the simulated errors are right
            self.assertRegex(done.stdout, rf"(?m)^ou-fit +{group} .* {len(rows)} +{at_bound.sum()}$")
            self.assertRegex(done.stdout, rf"(?m)^dho +{group} .* - +-$")
        self.assertIn("ou-fit fits a jitter, dho does not", done.stdout)

    def test_flagged_light_curves_are_counted_and_left_out_on_request(self):
        args = ("--fitters", "ou-fit,dho", "--out", "t.fits")
        baseline = 1 << 17
        doubts = sum(1 << bit for bit in range(17, 24))
        done = self.compare(*args)
        table = self.read("t.fits")
        for group in ("a.g", "a.r"):
            rows = table[(table["fitter"] == "dho") & (table["group"] == group)]
            rows = rows[rows["failure"] == ""]
            count = (rows["flags"] & baseline != 0).sum()
            self.assertGreater(count, 0)
            self.assertRegex(done.stdout, rf"(?m)^dho +{group} +{count} +baseline below 10 tau$")
        self.check_pair(done.stdout, table, "ou-fit", "dho")
        self.assertIn("flagged light curves are compared like others", done.stdout)

        done = self.compare(*args, "--leave-out-flagged")
        self.check_pair(done.stdout, self.read("t.fits"), "ou-fit", "dho", leave_out=doubts)
        self.assertRegex(done.stdout, r"(?m)^\d+ left out: flagged$")

    def test_a_likelihood_integrated_over_the_mean_is_not_compared_with_others(self):
        args = ("--fitters", "ou-fit,dho", "--out", "t.fits")
        done = self.compare(*args, "--set", "dho.mean=marginal")
        self.assertIn('ou-fit has mean = "profiled", dho has mean = "marginal"', done.stdout)
        self.assertIn("loglike, AIC and BIC are left out", done.stdout)
        self.assertNotRegex(done.stdout, r"(?m)^(AIC|BIC|loglike) ")
        self.assertRegex(done.stdout, r"(?m)^log_sigma ")
        done = self.compare(*args, "--set", "dho.mean=median")
        self.assertIn("likelihoods differ by that alone", done.stdout)
        self.assertRegex(done.stdout, r"(?m)^AIC ")
        self.assertNotIn("has mean =", self.compare(*args).stdout)

    def test_memory_stays_flat(self):
        def peak(objects):
            curves = [light_curve(i % 50, 20) for i in range(objects)]
            columns = [fits.Column("source_id", "K", array=np.arange(objects))]
            for k, name in enumerate(("t_g", "m_g", "e_g", "t_r", "m_r", "e_r")):
                columns.append(fits.Column(name, "PD()", array=arrays(curves, k % 3)))
            table = fits.BinTableHDU.from_columns(columns)
            table.writeto(self.folder / "curves.fits", overwrite=True)
            return self.peak_memory(
                "compare", "--chain", self.chain, "--out", "t.fits",
                "--fitters", "ou-fit,dho",
                "--set", "chain.batch_rows=100", "--set", 'loo.redshift=""',
            )  # fmt: skip

        small, large = peak(1_000), peak(8_000)
        print(f"peak memory: {small} kB for 1,000 objects, {large} kB for 8,000")
        self.assertLess(large, 1.3 * small)
        self.assertEqual(len(self.read("t.fits")), 8_000 * 2 * 2)

    def refused(self, *args):
        text = self.compare(*args, "--out", "t.csv", expect=2).stderr
        self.assertFalse((self.folder / "t.csv").exists())
        return text

    def test_what_cannot_be_compared_is_refused_with_the_reason(self):
        self.assertIn("did you mean 'ou-fit'", self.refused("--fitters", "ou-fitt,dho"))
        self.assertIn("'require' is a Filter, not a Fitter", self.refused("--fitters", "dho,require"))
        self.assertIn("'dho' is named twice", self.refused("--fitters", "dho,dho"))
        self.assertIn("did you mean 'loo'", self.refused("--fitters", "dho", "--label", "lo"))
        text = self.refused("--fitters", "ou-fit,dho", "--set", 'dho.groups=["a.q"]')
        self.assertIn("dho needs group 'a.q', which no earlier stage gives", text)
        text = self.refused("--fitters", "ou-fit,dho", "--set", "dho.bins=3")
        self.assertIn("dho: no option 'bins'", text)
        text = self.compare("--fitters", "dho", "--out", "t.txt", expect=2).stderr
        self.assertIn("must end in .fits or .csv", text)
        self.write("chain.toml", CHAIN + CHAIN[CHAIN.index('[[stage]]\nuse = "ou-loo"') :]
                   .replace('"loo"', '"second"'))  # fmt: skip
        text = self.refused("--fitters", "ou-fit,dho")
        self.assertIn("several fitters; say whose place to take: --label loo or --label second", text)


if __name__ == "__main__":
    unittest.main()
