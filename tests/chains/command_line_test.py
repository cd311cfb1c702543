"""Mistakes, bad plugins and unsettled objects, as the user sees them."""

import os
import shutil
import unittest

from support import ROOT, TEST_PLUGINS, ChainTest, irsa_answer, irsa_row, make_sample

FIVE_MISTAKES = """[chain]
name = "mistakes"
batch_rows = 0
[[stage]]
use = "catalog-source"
path = "nowhere/targets.csv"
colums = ["z"]
[[stage]]
use = "ztf-fils"
path = "answers/{source_id}.csv"
[[stage]]
use = "ztf-quality"
chi = [0.5]
[[stage]]
use = "fits-sink"
what = 5
"""

CHAIN = """
[chain]
name = "plain"
batch_rows = 2
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "ztf-files"
label = "ztf"
path = "answers/{source_id}.csv"
[[stage]]
use = "fits-sink"
what = "ztf"
"""


class CommandLine(ChainTest):
    def test_five_mistakes_are_reported_at_once(self):
        chain = self.write("bad.toml", FIVE_MISTAKES)
        for args in (["--check"], []):
            errors = self.qsohost("--chain", chain, *args, expect=2).stderr
            for line in (
                f"{chain}:3:1: chain.batch_rows must",
                f"{chain}:7:1: catalog-source: no option 'colums'; did you mean 'columns'?",
                f"{chain}:9:7: no stage 'ztf-fils'; did you mean 'ztf-files'",
                f"{chain}:13:1: ztf-quality.chi wants 2 values, not 1",
                f"{chain}:16:1: fits-sink.what wants a string",
            ):
                self.assertIn(line, errors)
        # Nothing was opened: there is no complaint of the missing file, and no run directory.
        self.assertNotIn("nowhere", errors)
        self.assertEqual([p.name for p in self.folder.iterdir()], ["bad.toml"])

    def test_check_refuses_an_unusable_url(self):
        text = """[chain]
name = "url"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "irsa-ztf"
label = "ztf"
url = "{}"
"""
        for url, words in (
            ("http://127.0.0.1:${QSOHOST_TEST_PORT}", "'QSOHOST_TEST_PORT', which is not set"),
            ("https://me:secret@host", "ztf.url wants a URL"),
            ("irsa.ipac.caltech.edu", "must begin with https://"),
        ):
            chain = self.write("url.toml", text.format(url))
            errors = self.qsohost("--chain", chain, "--check", expect=2).stderr
            self.assertIn(f"{chain}:9:1: ztf.url", errors)
            self.assertIn(words, errors)
            self.assertNotIn("secret", errors)
        chain = self.write("url.toml", text.format("http://127.0.0.1:${QSOHOST_TEST_PORT}"))
        for port, code in (("8000", 0), ("eighty", 2), ("@host", 2)):
            env = {"QSOHOST_TEST_PORT": port}
            errors = self.qsohost("--chain", chain, "--check", env=env, expect=code).stderr
            self.assertEqual("ztf.url" in errors, code == 2, errors)

    def test_a_secret_in_set_is_not_repeated_in_the_message(self):
        chain = self.write("chain.toml", CHAIN.replace("ztf-files", "irsa-ztf")
                           .replace('path = "answers/{source_id}.csv"', ""))  # fmt: skip
        for option in ("ztf.url", "ztf.tap_url", "ztf.urll", "no-stage.url"):
            errors = self.qsohost(
                "--chain", chain, "--set", f"{option}=https://me:secret@host", "--check", expect=2
            ).stderr
            self.assertIn(f"--set {option}: ", errors)
            self.assertNotIn("secret", errors)

    def test_dot_dot_after_a_symlink_is_relative_to_its_target(self):
        real = self.folder / "scratch/runs"
        real.mkdir(parents=True)
        (self.folder / "link").symlink_to(real)
        self.write("scratch/targets.csv", "source_id,ra,dec\n1,10,20\n")
        self.write("scratch/answers/1.csv", irsa_answer([irsa_row(7, 58000.5, 18, 0.02)]))
        text = CHAIN.replace("targets.csv", "link/../targets.csv")
        chain = self.write("chain.toml", text.replace("answers/", "link/../answers/"))
        self.qsohost("--chain", chain, "--run-dir", "link/../mine.run")
        self.assertTrue(list((self.folder / "scratch/mine.run").glob("*.fits")))
        self.assertFalse((self.folder / "mine.run").exists())

    def test_wrong_usage_exits_2(self):
        self.qsohost(expect=2)
        self.qsohost("--no-such-option", expect=2)
        self.qsohost("--chain", "nowhere.toml", expect=2)
        self.qsohost("inspect", "ou-lo", expect=2)
        self.assertIn("ou-loo", self.qsohost("list").stdout)

    def test_bad_plugins_are_refused_and_the_rest_loads(self):
        bad = TEST_PLUGINS / "bad"
        cut = self.folder / "cut.so"
        shutil.copy(bad / "good/good.so", cut)
        with open(cut, "r+b") as file:
            file.truncate(cut.stat().st_size // 2)
        text = self.write("text.so", "no plugin at all\n")
        pipe = self.folder / "pipe.so"
        os.mkfifo(pipe)
        files = [bad / n / f"{n}.so" for n in ("other_api", "no_note", "undefined_symbol")]
        plugins = [a for f in [*files, cut, text, pipe] for a in ("--plugin", f)]
        make_sample(self.folder / "sample", 3)
        done = self.qsohost(
            "--chain", ROOT / "tests/chains/answers.toml", *plugins, "--run-dir", "run",
            "--set", "catalog.path=sample/targets.csv",
            "--set", "ztf.path=sample/irsa/{source_id}.csv",
        )  # fmt: skip
        for words in ("API number", "no qsohost note", "undefined symbol", "truncated",
                      "not a shared object", "not a file"):  # fmt: skip
            self.assertIn(words, done.stderr)
        self.assertTrue((self.folder / "run/answers_loo_ztf_g.fits").exists())

    def test_unsettled_objects_exit_3_and_are_retried(self):
        self.write("targets.csv", "source_id,ra,dec\n1,10,20\n2,10,20\n3,10,20\n4,10,20\n")
        rows = [irsa_row(7, 58000.5 + k, 18, 0.02) for k in range(3)]
        whole = irsa_answer(rows)
        self.write("answers/1.csv", whole)
        self.write("answers/2.csv", whole[:-40])  # the last line is cut
        self.write("answers/3.csv", irsa_answer([]))
        refused = (
            '<?xml version="1.0"?><VOTABLE><RESOURCE><INFO name="QUERY_STATUS" value="ERROR">'
            "too busy</INFO></RESOURCE></VOTABLE>\n"
        )
        self.write("answers/4.csv", refused)
        chain = self.write("chain.toml", CHAIN)
        done = self.qsohost("--chain", chain, "--run-dir", "run", expect=3)
        for words in ("2.csv", "4.csv", "too busy", "--retry-failed"):
            self.assertIn(words, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"ztf +Fetcher.* 1 +1 +2 +0\n")
        for i in (2, 4):
            self.write(f"answers/{i}.csv", whole)
        self.qsohost("--chain", chain, "--run-dir", "run", "--resume", expect=3)
        self.qsohost("--chain", chain, "--run-dir", "run", "--retry-failed")
        self.qsohost("--chain", chain, "--run-dir", "undisturbed")
        self.assert_same_files(self.folder / "run", self.folder / "undisturbed")

    def test_catalogue_mistakes_name_file_and_row(self):
        chain = self.write("chain.toml", CHAIN)
        for text, words in (
            ("source_id,ra\n1,10\n", "'dec'"),
            ("source_id,ra,dec\n1,10,20\n2,10,20\n1,10,20\n", "4"),
            ("source_id,ra,dec\n1,10,20\n2,nan,20\n", "3"),
            ("source_id,ra,dec\n1,10,20\n2,10\n", "line 3"),
            ("source_id,ra,dec\n1,10,20\n2,ten,20\n", "line 3 has 'ten'"),
        ):
            self.write("targets.csv", text)
            errors = self.qsohost("--chain", chain, "--run-dir", "run", "--restart", expect=1).stderr
            self.assertIn("targets.csv", errors)
            self.assertIn(words, errors)


if __name__ == "__main__":
    unittest.main()
