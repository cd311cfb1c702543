"""Memory stays flat as the catalogue grows."""

import random
import unittest

from support import ChainTest, read_table

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
        peak = self.peak_memory("--chain", chain, "--run-dir", "run", "--restart")
        table, _ = read_table(self.folder / "run/flat_catalog.fits")
        self.assertEqual(len(table["source_id"]), objects - objects // 10)
        return peak

    def test_ten_times_the_objects_take_no_more_memory(self):
        small, large = self.peak(10_000), self.peak(100_000)
        print(f"peak memory: {small} kB for 10,000 objects, {large} kB for 100,000")
        self.assertLess(large, 1.3 * small)


if __name__ == "__main__":
    unittest.main()
