"""xmatch against a service for one small table: the rows of fits-crossmatch, whatever the service
does to its answers."""

import itertools
import pathlib
import sys
import tempfile
import time
import unittest

import expected
import numpy as np
from awkward_sky import columns, write_fits

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from chains import ChainTest, interrupt, read_table, wait_until
from xmatch_server import XMatchServer

CHAIN = """
[chain]
name = "match"
batch_rows = 300
[[stage]]
use = "{use}"
label = "match"
left = "{left}"
{options}
[[stage]]
use = "fits-sink"
what = "catalog"
"""
NAMES = {"source_id": "Source", "Ra": "RA_ICRS", "dec": "DE_ICRS", "Z": "Zabs"}
OTHER_NAMES = {"gaia_Ra": "RA_ICRS", "gaia_dec": "DE_ICRS", "gaia_Z": "Zabs", "sdss_z": "z", "sdss_sdss_z": "sdss_z"}


class XMatchTest(ChainTest):
    @classmethod
    def setUpClass(cls):
        cls.left, right = columns(np.random.default_rng(7))
        # Equal places are written alike: of six decimals of a distance nobody sees which is nearer.
        cls.left["ra"][500:520] = cls.left["ra"][520:540]
        right["Ra"][:60] = np.tile(cls.left["ra"][520:540], 3)
        at_pole = np.flatnonzero(np.abs(right["dec"]) == 90)
        right["dec"][at_pole[1:]] = 80
        cls.files = pathlib.Path(cls.enterClassContext(tempfile.TemporaryDirectory()))
        write_fits(cls.files / "left.fits", cls.left)
        write_fits(cls.files / "right.fits", right)
        cls.right = {NAMES.get(name, name): column for name, column in right.items()}

    def chain(self, use="xmatch", left=None, **options):
        lines = "\n".join(f"{name} = {value!r}" for name, value in options.items())
        return self.write(f"{use}.toml", CHAIN.format(use=use, left=left or self.files / "left.fits", options=lines))

    def product(self, use="xmatch", expect=0, more=("--restart",), **options):
        done = self.qsohost("--chain", self.chain(use, **options), "--run-dir", use, *more, expect=expect)
        self.said = done.stderr + done.stdout
        return None if expect else read_table(self.folder / use / "match_catalog.fits")[0]

    def match(self, server, **options):
        return self.product(url=server.url, **options)

    def there(self, **options):
        """What fits-crossmatch gives, with the names of columns that xmatch has."""
        options = {name: value for name, value in options.items() if name != "block_rows"}
        product = self.product("fits-crossmatch", right=str(self.files / "right.fits"), **options)
        return {OTHER_NAMES.get(name, name): column for name, column in product.items()}

    def assert_same(self, here, there):
        self.assertEqual(sorted(here), sorted(there))
        for name, column in there.items():
            got = here[name]
            if name == "match_separation":
                np.testing.assert_allclose(got, column, rtol=0, atol=1e-6)
            elif column.dtype.kind in "SU":
                self.assertEqual(np.char.strip(got).tolist(), np.char.strip(column).tolist(), name)
            else:
                np.testing.assert_array_equal(got, column, name)

    def check(self, server, **options):
        self.assert_same(self.match(server, **options), self.there(**options))


class SameRows(XMatchTest):
    def test_every_mode(self):
        with XMatchServer(self.right) as server:
            for match, unique in itertools.product(("all", "nearest"), ("keep", "nearest", "drop")):
                with self.subTest(match=match, unique=unique):
                    self.check(server, match=match, unique=unique, radius_arcsec=2.0, block_rows=500)
            self.assertEqual(server.most_at_work, 1)
            self.assertTrue(all(agent.startswith("qsohost/") for agent in server.agents))
            self.assertLessEqual(max(map(len, server.uploads)), 500)

    def test_blocks_change_nothing(self):
        with XMatchServer(self.right) as server:
            for block_rows in (100, 333, 5000):
                with self.subTest(block_rows=block_rows):
                    self.check(server, block_rows=block_rows, where="is_qso_final = 1 and z < 3")

    def test_a_text_table_and_prefixes(self):
        lines = ["Name;RA;DE"] + [f"{n};{a!r};{d!r}" for n, a, d in zip(self.left["Name"], self.left["ra"].tolist(), self.left["dec"].tolist())]
        path = self.write("left.csv", "\n".join(lines) + "\n")
        with XMatchServer(self.right) as server:
            got = self.match(server, left=path, left_ra="RA", left_dec="DE", prefixes=["a", "b"], columns=["Name", "Zabs", "RA"])
        self.assertEqual(list(got), ["source_id", "Name", "a_RA", "Zabs", "match_separation", "n_matches", "ra", "dec"])
        self.assertEqual(len(got["ra"]), len(self.there()["ra"]))

    def test_rows_without_a_match_are_counted(self):
        with XMatchServer(self.right) as server:
            got = self.match(server, block_rows=400)
        matched = len(np.unique(got["sdss_SOURCE_ID"]))
        self.assertIn(f"{matched} of 1200 rows of", self.said)
        self.assertIn("7 of 1200 rows have no position on the sky", self.said)
        status = self.qsohost("status", self.folder / "xmatch").stdout
        line = next(line for line in status.splitlines() if line.startswith("left: "))
        self.assertEqual([int(n.replace(",", "")) for n in line.split()[-5:]], [1200, 7, int(line.split()[-3]), matched, 1200 - matched])
        # Those without a position are not sent.
        self.assertEqual(sum(map(len, server.uploads)), 1200 - 7)

    def test_nothing_matches(self):
        far = {**self.right, "DE_ICRS": np.full_like(self.right["DE_ICRS"], -45.678)}
        with XMatchServer(far) as server:
            self.product(url=server.url, block_rows=800, expect=0)
        self.assertIn("0 of 1200 rows", self.said)
        self.assertEqual(server.jobs(), 4)  # empty answers are asked for twice

    def test_columns_that_come_in_another_order(self):
        def turn(number, text):
            if number % 2 == 0:
                return 200, text
            lines = [",".join(reversed(line.split(","))) for line in text.splitlines()]
            return 200, "\n".join(lines) + "\n"

        with XMatchServer(self.right, answer=turn) as server:
            self.check(server, block_rows=300)

    def test_mistakes(self):
        with XMatchServer(self.right) as server:
            for options, code, words in (
                ({"id": "Sourc"}, 1, ["'Sourc'", "did you mean 'Source'"]),
                ({"columns": ["gaia.RUWEE"]}, 1, ["gaia.RUWEE"]),
                ({"right_ra": "RAX"}, 1, ["'RAX'", "right_ra"]),
                ({"where": "z < -1"}, 1, ["where", "nothing to match"]),
                ({"radius_arcsec": 0.0}, 2, ["radius_arcsec"]),
                ({"radius_arcsec": 181.0}, 2, ["radius_arcsec", "180"]),
                ({"right": "vizier:II/246/out"}, 2, ["option 'id'"]),
                ({"tap_columns": ["ra; DROP"]}, 2, ["tap_columns"]),
            ):
                with self.subTest(options=options):
                    self.product(url=server.url, expect=code, **options)
                    for word in words:
                        self.assertIn(word, self.said)


class Faults(XMatchTest):
    def test_a_limit_that_the_service_does_not_tell(self):
        whole = self.there(radius_arcsec=2.0)
        for limit, block_rows in ((500, 5000), (500, 600), (300, 200), (400, 1200)):
            with self.subTest(limit=limit), XMatchServer(self.right, limit=limit) as server:
                self.assert_same(self.match(server, radius_arcsec=2.0, block_rows=block_rows), whole)
        with XMatchServer(self.right, limit=1000, turn_around=True) as server:
            self.assert_same(self.match(server, radius_arcsec=2.0), whole)
        with XMatchServer(self.right, limit=2) as server:
            self.product(url=server.url, radius_arcsec=5.0, expect=1)
            self.assertIn("take a smaller radius_arcsec", self.said)

    def test_faults_of_answers(self):
        def broken(number, text):
            kind = number % 6
            half = text[: len(text) // 2]
            return [(503, "busy"), (200, ""), (200, "<html><body>Service unavailable</body></html>"),
                    (200, text.splitlines()[0] + "\n"), (200, half[: half.rindex(",")]), (200, text)][kind]  # fmt: skip

        with XMatchServer(self.right, answer=broken) as server:
            self.check(server, block_rows=600)
            self.assertEqual(server.most_at_work, 1)
            # Two blocks, each with an empty answer that is asked for again.
            self.assertEqual(server.jobs(), 12)

    def test_an_answer_without_an_announced_end_is_asked_for_twice(self):
        def cut(number, text):
            lines = text.splitlines(keepends=True)
            return 200, "".join(lines[: len(lines) // 2] if number == 0 else lines)

        with XMatchServer(self.right, answer=cut, announced=False) as server:
            self.check(server, block_rows=5000)
            self.assertEqual(server.jobs(), 3)

    def test_a_ban_ends_the_run_at_once(self):
        with XMatchServer(self.right, ban=2) as server:
            self.product(url=server.url, block_rows=300, expect=1)
            self.assertEqual(server.jobs(), 3)
            for word in ("HTTP 403", "one job", "--resume"):
                self.assertIn(word, self.said)
            server.ban = 10**9
            got = self.product(url=server.url, block_rows=300, more=("--resume",))
            self.assertEqual(server.jobs(), 5)
        self.assert_same(got, self.there())

    def test_a_refused_request_is_not_sent_again(self):
        text = ('<?xml version="1.0"?><VOTABLE><RESOURCE type="results"><INFO ID="QUERY_STATUS" name="QUERY_STATUS" '
                'value="ERROR">Table "I/355" does not exist</INFO></RESOURCE></VOTABLE>')  # fmt: skip
        with XMatchServer(self.right, answer=lambda *_: (400, text)) as server:
            self.product(url=server.url, expect=1)
            self.assertEqual(server.jobs(), 1)
        self.assertIn('Table "I/355" does not exist', self.said)


class Resumed(XMatchTest):
    def test_killed_and_resumed(self):
        with XMatchServer(self.right) as server:
            server.slow(0.3)
            chain = self.chain(url=server.url, block_rows=150)
            process = self.launch("--chain", chain, "--run-dir", "xmatch")
            wait_until(lambda: server.jobs() >= 4, "four jobs", process)
            process.kill()
            process.wait()
            time.sleep(0.6)
            server.hold = None
            before = server.jobs()
            got = self.product(url=server.url, block_rows=150, more=("--resume",))
            blocks = [tuple(upload) for upload in server.uploads]
        # Only the block that was under way is sent again.
        self.assertEqual(len(set(blocks)), len(blocks) - 1)
        self.assertEqual(blocks[before], blocks[before - 1])
        self.assert_same(got, self.there())

    def test_ctrl_c_ends_it_soon(self):
        with XMatchServer(self.right) as server:
            server.slow(0.3)
            chain = self.chain(url=server.url, block_rows=20)
            process = self.launch("--chain", chain, "--run-dir", "xmatch")
            wait_until(lambda: server.jobs() >= 3, "three jobs", process)
            interrupt(process)
            interrupt(process)
            self.assertEqual(process.wait(timeout=60), 130)
            self.assertLess(server.jobs(), 40)
            server.hold = None
            done = server.jobs()
            got = self.product(url=server.url, block_rows=20, more=("--resume",))
            self.assertLessEqual(server.jobs(), 60 + 2)
            self.assertGreater(done, 2)
        self.assert_same(got, self.there())

    def test_a_finished_run_leaves_nothing_behind(self):
        with XMatchServer(self.right) as server:
            self.match(server)
            self.assertEqual(list((self.folder / "xmatch").rglob("*.csv")), [])
            self.product(url=server.url, more=("--dry-run", "5"))
            self.assertEqual(server.jobs(), 2)


if __name__ == "__main__":
    unittest.main()
