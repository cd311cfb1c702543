"""`qsohost doctor` against simulated archives: what it finds, what it says to change, and that it is
harmless."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path.append(str(TESTS / "support"))
from chains import QSOHOST, SKYSIM  # noqa: E402

sys.path.append(str(TESTS / "skysim"))
from server import Server  # noqa: E402

PUBLIC = TESTS.parent / "examples/public.toml"


class Doctor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-doctor-"))
        cls.addClassCleanup(shutil.rmtree, cls.folder, True)
        cls.sky = cls.folder / "sky"
        subprocess.run([SKYSIM, "make", cls.sky, "--sources", "40", "--seed", "3", "--neowise", "--atlas"],
                       check=True, capture_output=True)  # fmt: skip

    def doctor(self, *args, expect=0, **environment):
        done = subprocess.run([QSOHOST, "doctor", *map(str, args)], capture_output=True, text=True, timeout=120,
                              env={**os.environ, **environment}, cwd=self.folder)  # fmt: skip
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done

    def archives(self, *args, expect=0, **environment):
        return json.loads(self.doctor("--json", *args, expect=expect, **environment).stdout)

    def gaia(self, server, release, expect=0):
        return self.archives("gaia-epoch", "--set", "archive=datalink", "--set", f"release={release}",
                             "--set", f"url={server.url}/data-server/data", expect=expect)  # fmt: skip

    def test_a_chain(self):
        with Server(self.sky) as server:
            urls = {"crossmatch.url": "/xmatch/api/v1/sync", "gaia.url": "/aip/tap", "ztf.url": "", "neowise.url": "/TAP"}
            found = self.archives("--chain", PUBLIC, *(word for name, path in urls.items()
                                  for word in ("--set", f"{name}={server.url}{path}")))  # fmt: skip
            self.assertEqual([a["label"] for a in found],
                             ["crossmatch", "gaia", "gaia", "ztf", "ztf", "neowise"])  # fmt: skip
            for archive in found:
                self.assertEqual(archive["changes"], [])
                self.assertTrue(archive["seconds"], archive)
            counts = server.status()["services"]
            self.assertLessEqual(sum(service["requests"] for service in counts.values()), 12)
            only = self.archives("--chain", PUBLIC, "neowise", "--set", f"neowise.url={server.url}/TAP")
            self.assertEqual([a["stage"] for a in only], ["neowise"])

    def test_dr4_is_seen_on_its_first_day(self):
        with Server(self.sky) as server:
            sources, *_ = self.gaia(server, "Gaia DR4", expect=1)
            self.assertIn("no schema gaiadr4", sources["changes"][0])
            sources, _ = self.gaia(server, "Gaia DR3")
            self.assertNotIn("DR4 is open", " ".join(sources["notes"]))
        with Server(self.sky, "--gaia-release", "dr4") as server:
            sources, epochs = self.gaia(server, "Gaia DR3")
            self.assertIn("Gaia DR4 is open here", " ".join(sources["notes"]))
            sources, epochs = self.gaia(server, "Gaia DR4")
            self.assertEqual(epochs["release"], "Gaia DR4")
            self.assertEqual(epochs["changes"], [])
            self.assertEqual(server.status()["services"]["datalink"]["requests without RELEASE"], 0)

    def test_a_release_that_is_gone(self):
        with Server(self.sky) as server:
            objects, curves = self.archives("irsa-ztf", "--set", f"url={server.url}", "--set", "collection=ztf_dr17",
                                            expect=1)  # fmt: skip
        self.assertIn("set collection", objects["changes"][0])
        self.assertTrue(curves["changes"])

    def test_columns_that_are_missing(self):
        with Server(self.sky) as server:
            _, gaia = self.archives(
                "xmatch", "--set", "left=q.csv", "--set", f"url={server.url}/xmatch/api/v1/sync",
                "--set", f"tap_url={server.url}/tap-server/tap", "--set", 'tap_columns=["ruwe", "ruwe2"]',
                expect=1)  # fmt: skip
            self.assertEqual(len(gaia["changes"]), 1)
            self.assertIn("ruwe2", gaia["changes"][0])

    def test_an_archive_that_denies_access_or_is_away(self):
        with Server(self.sky) as server:
            url = ("--set", f"url={server.url}/forcedphot")
            self.archives("atlas", *url, ATLAS_TOKEN="skysim-atlas-token")
            denied = self.doctor("atlas", *url, expect=1, ATLAS_TOKEN="not-this-token")
            self.assertIn("401", denied.stdout)
            self.assertNotIn("not-this-token", denied.stdout + denied.stderr)
        self.assertIn("no good answer", self.doctor("atlas", *url, expect=1, ATLAS_TOKEN="x").stdout)

    def test_mistakes(self):
        self.assertIn("no stage 'nothing'", self.doctor("nothing", expect=2).stderr)
        self.assertIn("--chain", self.doctor(expect=2).stderr)
        self.assertIn("its stages: crossmatch", self.doctor("--chain", PUBLIC, "nothing", expect=2).stderr)
        self.assertIn("No stage", self.doctor("fits-sink", "--set", 'what=catalog').stdout)


if __name__ == "__main__":
    unittest.main()
