"""The guard of the layers, on a copy of the tree in which somebody has drawn another arrow."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]


class LayersTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="qsohost-layers-"))
        self.addCleanup(shutil.rmtree, self.folder, True)
        for name in ("framework", "plugins", "hosts"):
            shutil.copytree(ROOT / name, self.folder / name)

    def add(self, name, line):
        file = self.folder / name
        file.write_text(line + "\n" + file.read_text())

    def look(self):
        done = subprocess.run([sys.executable, ROOT / "tests/layers.py", self.folder], capture_output=True, text=True)
        return done.returncode, done.stderr

    def assert_refused(self, *words):
        code, text = self.look()
        self.assertEqual(code, 1, text)
        self.assertEqual(len(text.splitlines()), 1, text)
        for word in words:
            self.assertIn(word, text)

    def test_the_tree_has_no_forbidden_include(self):
        self.assertEqual(self.look(), (0, ""))

    def test_an_include_from_a_higher_layer_is_refused(self):
        self.add("framework/src/data/batch.cpp", '#include "chain/chain_file.hpp"')
        self.assert_refused("framework/src/data/batch.cpp:1: data may not include chain (chain/chain_file.hpp)")

    def test_a_public_header_counts_to_its_layer(self):
        self.add("framework/include/qsohost/stage.hpp", '#include "qsohost/host/run.hpp"')
        self.assert_refused("qsohost/stage.hpp:1: data may not include run")

    def test_an_include_of_io_in_the_core_is_refused(self):
        self.add("framework/src/run/run.cpp", '#include "qsohost/io/fits.hpp"')
        self.assert_refused("run may not include fits")

    def test_a_folder_or_header_without_a_layer_is_refused(self):
        (self.folder / "framework/src/misc").mkdir()
        (self.folder / "framework/src/misc/things.cpp").write_text("")
        self.assert_refused("misc/things.cpp: in no layer")
        shutil.rmtree(self.folder / "framework/src/misc")
        (self.folder / "framework/include/qsohost/things.hpp").write_text("")
        self.assert_refused("qsohost/things.hpp: in no layer")

    def test_plugins_know_no_host_and_no_other_plugin(self):
        self.add("plugins/dho/dho.cpp", "#include <qsohost/host/run.hpp>")
        self.assert_refused("plugins/dho/dho.cpp:1: qsohost/host/run.hpp is for hosts")

    def test_an_architecture_page_that_differs_is_refused(self):
        page = self.folder / "framework/ARCHITECTURE.md"
        page.write_text(page.read_text().replace("    data     -> base\n", ""))
        self.assert_refused("lacks the line '    data     -> base'")


if __name__ == "__main__":
    unittest.main()
