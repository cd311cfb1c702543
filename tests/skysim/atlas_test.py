"""ATLAS: what `skysim make --atlas` writes, and the forced photometry server of `skysim serve`."""

import http.client
import json
import os
import pathlib
import re
import time
import unittest
import urllib.parse

import numpy as np
from astropy.table import Table

from server import Server
from support import ROOT, SkyTest, read_table, skysim

BASE = "/forcedphot"
TOKEN = {"Authorization": "Token skysim-atlas-token", "Accept": "application/json"}
NAMES = "###MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig Sky Obs".split()
RECORDED = pathlib.Path(os.environ.get("QSO_SHARED_DATA", ROOT.parent / "shared/data")) / "archives/atlas"
FILTERS = ("c", "o")


class AtlasTest(SkyTest):
    MAKE = ("--sources", "200", "--seed", "7", "--atlas", "-j", "2")

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.curves, _ = read_table(cls.sky / "atlas.fits")
        cls.truth, _ = read_table(cls.sky / "atlas_truth.fits")
        cls.counts = cls.truth["n_c"] + cls.truth["n_o"]

    def send(self, server, path, fields=None, method=None, headers=TOKEN):
        """Status and JSON."""
        data = urllib.parse.urlencode(fields).encode() if fields is not None else None
        status, _, body = server.get(BASE + path, data=data, method=method, headers=headers)
        return status, json.loads(body) if body else None

    def post(self, server, row, **fields):
        fields = {"ra": row["ra"], "dec": row["dec"], "mjd_min": 57200, "use_reduced": "true", **fields}
        return self.send(server, "/queue/", fields)

    def finish(self, server, task):
        for _ in range(500):
            status, document = self.send(server, f"/queue/{task['id']}/")
            self.assertEqual(status, 200)
            if document["finishtimestamp"]:
                return document
            time.sleep(0.02)
        self.fail(document)

    def result(self, server, document):
        status, _, body = server.get(document["result_url"].replace(server.url, ""))
        self.assertEqual(status, 200)
        return body.decode()

    def measure(self, server, row, **fields):
        """The rows of a task for a quasar."""
        status, task = self.post(server, row, **fields)
        self.assertEqual(status, 201)
        text = self.result(server, self.finish(server, task))
        self.assertEqual(text.split("\n")[0].split(), NAMES)
        return Table.read(text.split("\n")[1:], format="ascii.no_header", names=NAMES)

    def counted(self, server):
        return server.status()["services"]["atlas"]


class Made(AtlasTest):
    def test_other_files_and_threads_do_not_matter(self):
        skysim("make", self.folder / "one", "--sources", "200", "--seed", "7", "-j", "1")
        for file in (self.folder / "one").iterdir():
            self.assertEqual(file.read_bytes(), (self.sky / file.name).read_bytes(), file.name)
        self.assertFalse((self.folder / "one/atlas.fits").exists())
        skysim("make", self.folder / "two", *self.MAKE[:-1], "1")
        for name in ("atlas.fits", "atlas_truth.fits"):
            self.assertEqual((self.folder / "two" / name).read_bytes(), (self.sky / name).read_bytes())

    def test_nights_have_four_exposures_in_one_filter(self):
        for row, n in zip(self.curves, self.counts):
            self.assertEqual(len(row["mjd"]), n)
            self.assertTrue(np.all(np.diff(row["mjd"]) > 0))
            nights, sizes = np.unique(np.floor(row["mjd"]), return_counts=True)
            self.assertTrue(np.all(sizes == 4))
            for night in nights[:20]:
                self.assertEqual(len(set(row["band"][np.floor(row["mjd"]) == night])), 1)
        self.assertTrue(np.all(self.curves["number"] == self.truth["number"]))
        self.assertTrue(0 < np.sum(self.counts == 0) < 20)
        self.assertTrue(np.all(self.counts[self.counts > 0] > 500))

    def test_fluxes_are_those_of_the_process(self):
        for band, name in enumerate(FILTERS):
            pulls, spreads = [], []
            for row, truth in zip(self.curves, self.truth):
                if not len(row["mjd"]) or truth["mean_" + name] > 18:
                    continue
                good = self.good(row) & (row["band"] == band)
                mag = 23.9 - 2.5 * np.log10(row["flux"][good])
                pulls.append((np.mean(mag) - truth["mean_" + name]) / truth["sigma_" + name])
                spreads.append(np.std(mag) / truth["sigma_" + name])
            self.assertGreater(len(pulls), 10)
            self.assertLess(abs(np.mean(pulls)), 0.5)
            self.assertTrue(0.1 < np.std(pulls) < 1.5, np.std(pulls))
            self.assertTrue(0.5 < np.median(spreads) < 1.4, np.median(spreads))

    @staticmethod
    def good(row):
        """The cuts of the service's manual."""
        return ((row["flux_err"] < 10000) & (row["err"] == 0) & (row["x"] > 100) & (row["x"] < 10460)
                & (row["y"] > 100) & (row["y"] < 10460) & (row["maj"] < 5) & (row["maj"] > 1.6) & (row["min"] > 1.6)
                & (row["apfit"] < -0.1) & (row["apfit"] > -1) & (row["mag5sig"] > 17) & (row["sky"] > 17)
                & (row["chi_n"] < 10))  # fmt: skip

    def test_cuts_find_what_is_bad(self):
        good = [int(np.sum(self.good(row))) for row in self.curves]
        self.assertEqual(good, list(self.truth["n_good"]))
        part = sum(good) / sum(self.counts)
        self.assertTrue(0.94 < part < 0.96, part)
        skysim("make", self.folder / "clean", "--sources", "50", "--profile", "clean", "--atlas")
        truth, _ = read_table(self.folder / "clean/atlas_truth.fits")
        self.assertEqual(list(truth["n_good"]), list(truth["n_c"] + truth["n_o"]))


class Served(AtlasTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server(cls.sky))
        seen = np.flatnonzero(cls.counts > 0)
        faint = seen[np.argmax(cls.truth["mean_c"][seen])]
        cls.faint, cls.bright = cls.curves[faint], cls.curves[seen[np.argmin(cls.truth["mean_c"][seen])]]

    def test_a_token_is_needed(self):
        login = {"username": "skysim", "password": "skysim"}
        token = self.send(self.server, "/api-token-auth/", login, headers=None)[1]["token"]
        self.assertIn(token, TOKEN["Authorization"])
        self.assertEqual(self.send(self.server, "/api-token-auth/", {**login, "password": ""}, headers=None)[0], 400)
        for headers in ({}, {"Authorization": "Token x"}, {"Authorization": token}):
            for path, data in (("/queue/", {"ra": 1, "dec": 1}), ("/queue/", None), ("/queue/1/", None)):
                self.assertEqual(self.send(self.server, path, data, headers=headers)[0], 401)

    def test_rows_are_those_of_the_file(self):
        for row in (self.bright, self.faint):
            table = self.measure(self.server, row)
            np.testing.assert_allclose(table["###MJD"], row["mjd"], atol=1e-6)
            np.testing.assert_allclose(table["uJy"], row["flux"], atol=0.5001)
            np.testing.assert_allclose(table["duJy"], row["flux_err"], atol=0.5001)
            self.assertEqual([FILTERS.index(f) for f in table["F"]], list(row["band"]))
            for name, column, step in (("err", "err", 1), ("chi/N", "chi_n", 0.01), ("x", "x", 0.01), ("maj", "maj", 0.01),
                                       ("apfit", "apfit", 0.001), ("mag5sig", "mag5sig", 0.01), ("Sky", "sky", 0.01)):  # fmt: skip
                np.testing.assert_allclose(table[name], row[column], atol=0.51 * step, err_msg=name)
        self.assertGreater(np.sum(row["flux"] < 0), 10)
        np.testing.assert_array_equal(table["m"] < 0, row["flux"] < 0)
        np.testing.assert_allclose(np.abs(table["m"]), 23.9 - 2.5 * np.log10(np.abs(row["flux"])), atol=6e-4)

    @unittest.skipUnless(RECORDED.exists(), f"no recorded answers in {RECORDED}; set QSO_SHARED_DATA")
    def test_results_look_like_the_recorded_one(self):
        recorded = (RECORDED / "result_sample.txt").read_text().splitlines()
        document = self.finish(self.server, self.post(self.server, self.bright)[1])
        lines = self.result(self.server, document).splitlines()
        self.assertEqual(lines[0], recorded[0])

        def shape(line):
            """Digits behind the point of each cell; names of exposures with their letters."""
            words = line.split()
            return [len(w.partition(".")[2]) for w in words[:-1]] + [re.sub(r"\d", "0", words[-1])]

        self.assertEqual({str(shape(line)) for line in lines[1:] if line.split()[5] == "c"}, {str(shape(recorded[1]))})

    def test_a_task_takes_time_and_can_be_deleted(self):
        _, task = self.post(self.server, self.bright, comment='my "own"')
        self.assertEqual((task["starttimestamp"], task["finishtimestamp"], task["result_url"]), (None,) * 3)
        self.assertEqual(task["comment"], 'my "own"')
        self.assertEqual(task["url"], f"{self.server.url}{BASE}/queue/{task['id']}/")
        done = self.finish(self.server, task)
        self.assertIsNone(done["error_msg"])
        self.assertTrue(done["starttimestamp"])
        self.assertIn(task["id"], [t["id"] for t in self.send(self.server, "/queue/")[1]["results"]])
        path = f"/queue/{task['id']}/"
        self.assertEqual(self.send(self.server, path, method="DELETE"), (204, None))
        for gone, method in ((path, None), (path, "DELETE"), (done["result_url"].split(BASE)[1], None)):
            self.assertEqual(self.send(self.server, gone, method=method)[0], 404)

    def test_without_mjd_min_only_30_days_come(self):
        whole, before = self.bright["mjd"], self.counted(self.server)["POSTs without mjd_min"]
        _, task = self.post(self.server, self.bright, mjd_min="")
        self.assertEqual(task["mjd_min"], 61170)
        document = self.finish(self.server, task)
        if np.any(whole >= 61170):
            self.assertEqual(self.result(self.server, document).count("\n") - 1, np.sum(whole >= 61170))
        else:
            self.assertEqual(document["error_msg"], "No data returned")
        table = self.measure(self.server, self.bright, mjd_min=58000, mjd_max=59000)
        self.assertEqual(len(table), np.sum((whole >= 58000) & (whole <= 59000)))
        self.assertEqual(self.counted(self.server)["POSTs without mjd_min"], before + 1)

    def test_no_data(self):
        empty = self.curves[np.flatnonzero(self.counts == 0)[0]]
        for row in (empty, {"ra": 10.5, "dec": -89.5}):
            _, task = self.post(self.server, row)
            document = self.finish(self.server, task)
            self.assertEqual((document["error_msg"], document["result_url"]), ("No data returned", None))

    def test_lists_of_positions(self):
        lines = "\n".join(f"{r['ra']} {r['dec']}" for r in self.curves[:100])
        status, tasks = self.send(self.server, "/queue/", {"radeclist": lines, "mjd_min": 57200})
        self.assertEqual((status, len(tasks)), (201, 100))
        self.assertEqual([t["ra"] for t in tasks], list(self.curves["ra"][:100]))
        self.assertIn("Z", self.finish(self.server, tasks[99])["finishtimestamp"])
        self.post(self.server, self.bright)
        page, seen = self.send(self.server, "/queue/")[1], set()
        self.assertEqual(len(page["results"]), 100)
        seen.update(t["id"] for t in page["results"])
        while page["next"]:
            page = self.send(self.server, page["next"].split(BASE)[1])[1]
            seen.update(t["id"] for t in page["results"])
        self.assertLessEqual({t["id"] for t in tasks}, seen)
        status, words = self.send(self.server, "/queue/", {"radeclist": lines + "\n1 1", "mjd_min": 57200})
        self.assertEqual(status, 400)
        self.assertIn("radeclist", words)

    def test_mistakes(self):
        for fields, name in (({"dec": 1}, "ra"), ({"ra": 1}, "dec"), ({"ra": "x", "dec": 1}, "ra"),
                             ({"ra": 1, "dec": 91}, "dec"), ({"ra": 1, "dec": 1, "mjd_min": "old"}, "mjd_min"),
                             ({"ra": 1, "dec": 1, "comment": 301 * "x"}, "comment")):  # fmt: skip
            status, words = self.send(self.server, "/queue/", fields)
            self.assertEqual((status, list(words)), (400, [name]))

    def test_difference_images_step_with_their_templates(self):
        reduced = self.measure(self.server, self.bright)
        difference = self.measure(self.server, self.bright, use_reduced="false")
        c = reduced["F"] == "c"
        step = (reduced["uJy"] - difference["uJy"])[c]
        era = np.searchsorted([58417, 58882], reduced["###MJD"][c], "right")
        levels = [np.median(step[era == k]) for k in range(3)]
        self.assertTrue(levels[0] < 0.97 * levels[1] < 0.95 * levels[2], levels)
        for k in range(3):
            np.testing.assert_allclose(step[era == k], levels[k], atol=1.1)


class Manners(AtlasTest):
    def test_throttled_posts_name_their_wait(self):
        row = self.curves[0]
        with Server(self.sky, "--traps", "atlas-429=1", "--time-scale", 20) as server:
            status, words = self.post(server, row)
            self.assertEqual(status, 429)
            self.assertEqual(words["detail"], "Request was throttled. Expected available in 1 second.")
            self.assertEqual(self.counted(server)["POSTs before the second that a 429 named"], 0)
            self.assertEqual(self.post(server, row)[0], 429)
            self.assertEqual(self.counted(server)["POSTs before the second that a 429 named"], 1)
            time.sleep(1.05)
            self.post(server, row)
            self.assertEqual(self.counted(server)["POSTs before the second that a 429 named"], 1)
            self.assertEqual(self.counted(server)["POSTs"], 3)
        with Server(self.sky, "--traps", "atlas-429=1") as server:
            self.assertIn("available in 27 seconds.", self.post(server, row)[1]["detail"])
        with Server(self.sky, "--traps", "atlas-429-minutes=1") as server:
            self.assertIn("available in 2 minutes.", self.post(server, row)[1]["detail"])
            self.assertIn("available in 120 seconds.", self.post(server, row)[1]["detail"])

    def test_looks_and_tasks_are_counted(self):
        # A task takes 5 s.
        with Server(self.sky, "--throttle", "irsa", "--time-scale", 10) as server:
            _, task = self.post(server, self.curves[0])
            for _ in range(6):
                time.sleep(0.05)
                self.send(server, f"/queue/{task['id']}/")
            counts = self.counted(server)
            self.assertEqual((counts["looks at unfinished tasks"], counts["most looks at a task"]), (6, 6))
            self.assertTrue(50 <= counts["shortest wait between looks (ms)"] < 1000)
            self.assertEqual((counts["tasks left"], counts["deleted tasks"]), (1, 0))
            self.finish(server, task)
            self.send(server, f"/queue/{task['id']}/", method="DELETE")
            counts = self.counted(server)
            self.assertEqual((counts["tasks left"], counts["deleted tasks"], counts["tasks"]), (0, 1, 1))

    def test_tasks_that_do_not_work(self):
        with Server(self.sky, "--traps", "atlas-error=1") as server:
            document = self.finish(server, self.post(server, self.curves[0])[1])
            self.assertNotIn(document["error_msg"], (None, "No data returned"))
            self.assertIsNone(document["result_url"])
        with Server(self.sky, "--traps", "atlas-stuck=1") as server:
            _, task = self.post(server, self.curves[0])
            time.sleep(0.5)
            document = self.send(server, f"/queue/{task['id']}/")[1]
            self.assertEqual((document["starttimestamp"], document["finishtimestamp"]), (None, None))

    def test_a_post_leaves_a_task_unless_it_is_refused(self):
        for fault, left in (("500", 0), ("status", 0), ("garbage", 1), ("cut", 1), ("reset", 1)):
            with Server(self.sky, "--faults", fault + "=1") as server:
                try:
                    self.post(server, self.curves[0])
                except (OSError, ValueError, http.client.HTTPException):
                    pass
                self.assertEqual(self.counted(server)["tasks left"], left, fault)
        with Server(self.sky, "--faults", "429=1", "--time-scale", 20) as server:
            status, headers, _ = server.get(BASE + "/queue/", data=b"ra=1&dec=1&mjd_min=57200", headers=TOKEN)
            self.assertEqual((status, headers["Retry-After"]), (429, "1"))
            server.get(BASE + "/queue/", data=b"ra=1&dec=1&mjd_min=57200", headers=TOKEN)
            self.assertEqual(self.counted(server)["POSTs before the second that a 429 named"], 1)

    def test_an_empty_result_has_its_header(self):
        with Server(self.sky, "--faults", "empty=1") as server:
            document = self.finish(server, self.post(server, self.curves[0])[1])
            self.assertEqual(self.result(server, document).split(), NAMES)

    def test_a_sky_without_atlas(self):
        skysim("make", self.folder / "bare", "--sources", "5")
        with Server(self.folder / "bare") as server:
            document = self.finish(server, self.post(server, self.curves[0])[1])
            self.assertEqual(document["error_msg"], "No data returned")


if __name__ == "__main__":
    unittest.main()
