"""What the tests of shards share: a sky, chains of it, and runs of their shards."""

import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "support"), str(HERE.parent / "skysim")]
from chains import SKYSIM, ChainTest, wait_until  # noqa: E402, F401
from server import Server  # noqa: E402, F401

SOURCES = 12
FAST = ("--time-scale", 100)
CATALOGUE = """
[[stage]]
use = "catalog-source"
label = "source"
path = "{catalogue}"
id = "{id}"
"""
CROSSMATCH = """
[[stage]]
use = "xmatch"
label = "source"
left = "{catalogue}"
right = "vizier:I/355/gaiadr3"
url = "{url}/xmatch/api/v1/sync"
columns = ["sdss.*", "Source", "Gmag"]
"""
TAP = """
[[stage]]
use = "tap-catalog"
label = "source"
url = "{url}/tap-server/tap"
table = "gaiadr3.gaia_source"
where = "phot_g_mean_mag < 19"
"""
ZTF = """
[[stage]]
use = "irsa-ztf"
label = "ztf"
url = "{url}"
confirm_after = 0.2
"""
PRODUCTS = """
[[stage]]
use = "fits-sink"
label = "catalog"
what = "catalog"
sort_by = "{sort_by}"
[[stage]]
use = "fits-sink"
label = "curves"
what = "ztf"
drop_empty = true
"""


class ShardTest(ChainTest):
    SKY = ()  # more options of `skysim make`

    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory(prefix="qsohost-shards-")
        cls.addClassCleanup(folder.cleanup)
        cls.sky = pathlib.Path(folder.name) / "sky"
        make = [SKYSIM, "make", cls.sky, "--sources", str(SOURCES), "--seed", "7", *cls.SKY]
        subprocess.run(make, check=True, capture_output=True)

    def chain(self, *stages, url="http://127.0.0.1:1", sort_by="", rows=2, name="c.toml"):
        text = f'[chain]\nname = "c"\nbatch_rows = {rows}\n' + "".join(stages)
        catalogue = self.sky / "sdss_dr16q.fits"
        text = text.replace("{catalogue}", str(catalogue)).replace("{sort_by}", sort_by)
        text = text.replace("{id}", "SDSS_NAME").replace("{sky}", str(self.sky))
        return self.write(name, text.replace("{url}", url))

    def run_chain(self, run, *args, chain="c.toml", **more):
        return self.qsohost("--chain", chain, "-j", 2, "--run-dir", run, *args, **more)

    def run_shards(self, count, *args, into="d", **more):
        for k in range(count):
            self.run_chain(f"{into}/shard-{k}", "--shard", f"{k}/{count}", *args, **more)
        return [f"{into}/shard-{k}" for k in range(count)]

    def launch_shard(self, k, count, *args):
        """In the background."""
        words = ["--chain", "c.toml", "-j", 1, "--run-dir", f"d/shard-{k}", "--shard", f"{k}/{count}", *args]
        return self.launch(*words, log=f"shard-{k}.log")

    def merge(self, *runs, into="all.run", args=(), **more):
        return self.qsohost("merge", *runs, "--into", into, *args, **more)

    def assert_merged(self, runs, whole="c.run", into="all.run"):
        self.merge(*runs, into=into)
        self.assert_same_files(self.folder / whole, self.folder / into)
