"""Memory stays flat as the catalogue grows."""

import random
import subprocess
import time
import unittest

from support import QSOHOST, ChainTest, read_table

CHAIN = """
[chain]
name = "flat"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "require"
columns = ["z"]
[[stage]]
use = "fits-sink"
what = "catalog"
"""


class Memory(ChainTest):
    def peak(self, objects):
        rng = random.Random(objects)
        with open(self.folder / "targets.csv", "w") as file:
            file.write("source_id,ra,dec,z,name,mag\n")
            for i in range(objects):
                z = "" if i % 10 == 0 else f"{rng.uniform(0.1, 5):.4f}"
                file.write(
                    f"{10**15 + i * 7919},{rng.uniform(0, 360):.7f},{rng.uniform(-30, 80):.7f},{z},"
                    f"SDSS J{i:09d},{rng.uniform(16, 21):.3f}\n"
                )
        chain = self.write("chain.toml", CHAIN)
        process = subprocess.Popen(
            [QSOHOST, "--chain", chain, "--run-dir", "run", "--restart"],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
        )
        # Not the rusage of the child: that counts the pages of this process before the exec too.
        peak = 0
        while process.poll() is None:
            with open(f"/proc/{process.pid}/status") as status:
                peak = max([peak, *(int(s.split()[1]) for s in status if s.startswith("VmHWM"))])
            time.sleep(0.005)
        self.assertEqual(process.returncode, 0)
        table, _ = read_table(self.folder / "run/flat_catalog.fits")
        self.assertEqual(len(table["source_id"]), objects - objects // 10)
        return peak

    def test_ten_times_the_objects(self):
        small, large = self.peak(10_000), self.peak(100_000)
        print(f"peak memory: {small} kB for 10,000 objects, {large} kB for 100,000")
        self.assertLess(large, 1.3 * small)


if __name__ == "__main__":
    unittest.main()
