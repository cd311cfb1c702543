"""Shards of any number cover the catalogue once, and merge into the products of a single run."""

import resource
import shutil
import unittest

from astropy.io import fits
from support import CATALOGUE, SOURCES, ShardTest

CATALOG_PRODUCT = """
[[stage]]
use = "fits-sink"
label = "catalog"
what = "catalog"
sort_by = "{sort_by}"
"""
JOIN = """
[[stage]]
use = "catalog-join"
label = "joined"
path = "other.csv"
key = ["source_id"]
their_key = ["name"]
null_values = [-999]
duplicates = "{duplicates}"
"""


class Shards(ShardTest):
    def setUp(self):
        super().setUp()
        self.chain(CATALOGUE, CATALOG_PRODUCT)

    def refuse(self, *args, names, expect=2):
        done = self.run_chain("d/shard-0", *args, expect=expect)
        for name in names:
            self.assertIn(name, done.stderr)

    def test_any_number_of_shards_gives_the_whole_run(self):
        self.run_chain("c.run")
        for count in (1, 3, SOURCES + 3):
            with self.subTest(count):
                runs = self.run_shards(count, into=f"rows{count}")
                self.assert_merged(reversed(runs), into=f"rows{count}/all")

    def test_shards_by_hash_give_the_whole_run(self):
        for sort_by in ("", "z"):
            self.chain(CATALOGUE, CATALOG_PRODUCT, sort_by=sort_by)
            self.run_chain("c.run", "--restart")
            for count in (3, SOURCES + 3):
                with self.subTest(f"{sort_by} {count}"):
                    folder = f"{sort_by}{count}"
                    runs = self.run_shards(count, "--shard-by", "hash", into=folder)
                    self.assert_merged(runs, into=f"{folder}/all")

    def other_catalogue(self):
        """With a key that is there twice, one that no object has, and objects that are not there.
        The longest text and the largest number are of the last object: of one shard alone."""
        with fits.open(self.sky / "sdss_dr16q.fits") as file:
            names = [str(name) for name in file[1].data["SDSS_NAME"]]
        rows = [f"{name},{-999 if k % 4 == 1 else k**8},{k * 'x'},{k / 3}" for k, name in enumerate(names)]
        rows = ["nobody,1,,", *reversed(rows[2:]), rows[5].replace("x", "y")]
        self.write("other.csv", "name,number,text,real\n" + "\n".join(rows) + "\n")

    def test_a_joined_catalogue(self):
        self.other_catalogue()
        for duplicates, code in (("best", 0), ("error", 3)):
            join = JOIN.replace("{duplicates}", duplicates)
            self.chain(CATALOGUE, join, CATALOG_PRODUCT)
            self.run_chain("c.run", "--restart", expect=code)
            for by, count in (("rows", 3), ("hash", SOURCES + 3)):
                with self.subTest(f"{duplicates} {by} {count}"):
                    folder = f"{duplicates}-{by}-{count}"
                    runs = self.run_shards(count, "--shard-by", by, into=folder, expect=None)
                    self.assert_merged(runs, into=f"{folder}/all")
        joined = fits.getdata(self.folder / "c.run/c_catalog.fits")
        self.assertEqual(len(joined), SOURCES)
        self.assertEqual(list(joined["text"]).count(""), 3)  # two without a row, one with two

    def test_a_shard_of_a_dry_run(self):
        said = self.run_chain("d", "--shard", "1/4", "--dry-run", 3).stdout
        self.assertIn("Dry run: 3 objects", said)

    def test_wrong_shards_are_refused(self):
        self.refuse("--shard", "5/5", names=["5/5", "4/5"])
        self.refuse("--shard", "0/0", names=["0/0"])
        for text in ("1", "-1/4", "1/4x", "1/", "a/b"):
            self.refuse(f"--shard={text}", names=[text, "K/N"])
        for more in (["--skip", 0], ["--limit", 3]):
            self.refuse("--shard", "0/2", *more, names=["--shard", more[0]])
        self.refuse("--shard-by", "hash", names=["--shard"])
        self.assertFalse((self.folder / "d").exists())

    def test_skip_0_is_the_whole_catalogue(self):
        self.run_chain("c.run")
        self.run_chain("skip.run", "--skip", 0)
        self.assert_same_files(self.folder / "c.run", self.folder / "skip.run")

    def test_another_shard_in_the_same_directory_is_refused(self):
        self.run_chain("d/shard-0", "--shard", "0/4")
        for shard in (["1/4"], ["0/5"], ["0/4", "--shard-by", "hash"]):
            self.refuse("--resume", "--shard", *shard, names=["run.shard = 0/4 by rows"])
        self.refuse("--resume", names=["run.shard = 0/4 by rows"])
        self.run_chain("d/shard-0", "--shard", "0/4", "--resume")

    def test_merge_refuses_what_is_not_the_whole(self):
        runs = self.run_shards(5)

        def refuse(*names, runs, args=()):
            done = self.qsohost("merge", *runs, "--into", "all.run", *args, expect=1)
            for name in names:
                self.assertIn(name, done.stderr)

        refuse("1, 3", runs=[runs[0], runs[2], runs[4]], args=["--partial"])
        refuse("2 to 4", "--partial", runs=runs[:2])
        self.merge(*runs[:2], into="part.run", args=["--partial"])
        shutil.copytree(self.folder / runs[2], self.folder / "twice")
        refuse("twice", "2/5", runs=[*runs, "twice"])
        self.run_chain("other/0", "--shard", "0/4")
        refuse("0/4", "1/5", runs=["other/0", *runs[1:]])
        self.run_chain("hash/4", "--shard", "4/5", "--shard-by", "hash")
        refuse("by hash", "by rows", runs=[*runs[:4], "hash/4"])
        self.run_chain("limit.run", "--skip", 9)
        refuse("no shard", runs=[*runs[:4], "limit.run"])
        self.run_chain("d/shard-4", "--shard", "4/5", "--restart", "--set", "catalog.sort_by=z")
        refuse("different chains", "sort_by", runs=runs)

    def test_merge_refuses_shards_of_a_catalogue_that_changed(self):
        here = self.folder / "here.csv"
        self.write("c.toml", self.own_chain(here))
        here.write_text("source_id,ra,dec\n" + "".join(f"{i},{i},0\n" for i in range(1, 6)))
        self.run_chain("d/shard-0", "--shard", "0/2")
        here.write_text("source_id,ra,dec\n" + "".join(f"{i},{i},0\n" for i in range(5, 0, -1)))
        self.run_chain("d/shard-1", "--shard", "1/2")
        done = self.merge("d/shard-0", "d/shard-1", expect=1)
        self.assertIn("here.csv", done.stderr)
        self.refuse("--shard", "0/2", "--resume", names=["here.csv"])
        self.refuse("--shard", "0/2", "--resume", "--accept-changed-inputs", names=["--restart"])

    @staticmethod
    def own_chain(path):
        text = '[chain]\nname = "c"\n' + CATALOGUE + CATALOG_PRODUCT
        return text.replace("{catalogue}", str(path)).replace("{sort_by}", "").replace("{id}", "source_id")

    def test_a_merge_only_reads_shards(self):
        self.run_chain("c.run")
        runs = self.run_shards(3)

        def state():
            files = [path for run in runs for path in (self.folder / run).rglob("*")]
            return {path: path.read_bytes() for path in files if path.suffix in (".fits", ".db")}

        before = state()
        self.assert_merged(runs)
        after = state()
        self.assertEqual(list(before), list(after))
        self.assertEqual([], [path for path in before if before[path] != after[path]])

    def test_many_shards_need_few_open_files(self):
        self.run_chain("c.run")
        runs = self.run_shards(30)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (24, hard))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, (soft, hard))
        self.assert_merged(runs)


if __name__ == "__main__":
    unittest.main()
