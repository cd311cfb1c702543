"""Answers of an archive are kept as long as their batch may be done again, and no longer."""

import sys
import unittest

from support import ROOT, TEST_PLUGINS, RunTest

sys.path.append(str(ROOT / "tests/http"))
import servers  # noqa: E402

CHAIN = """[chain]
name = "c"
batch_rows = 4
plugins = ["{plugins}/echo-survey.so", "{plugins}/picky-fitter.so"]
[[stage]]
use = "catalog-source"
label = "catalog"
path = "catalogue.csv"
[[stage]]
use = "echo-survey"
label = "echo"
url = "{url}/{{id}}"
max_attempts = 2
[[stage]]
use = "picky-fitter"
label = "fit"
[[stage]]
use = "fits-sink"
label = "A"
"""


class Answers(RunTest):
    def test_answers_are_dropped_though_an_object_is_bad_at_a_fitter(self):
        with servers.Archive() as archive:
            self.write("echo.toml", CHAIN.format(plugins=TEST_PLUGINS / "plugins", url=archive.url))
            done = self.run_chain(chain="echo.toml")
        self.assertIn("Done", done.said)
        self.assertEqual(self.query("SELECT count(*) FROM answer"), [(0,)])

    def test_answers_of_a_batch_with_a_failed_object_are_kept(self):
        def handle(handler, source, _times):
            return "not what it should be\n" if source == self.IDS[0] else None

        with servers.Archive(handle) as archive:
            self.write("echo.toml", CHAIN.format(plugins=TEST_PLUGINS / "plugins", url=archive.url))
            self.run_chain(chain="echo.toml", expect=3)
        self.assertEqual(self.query("SELECT DISTINCT ordinal FROM answer"), [(0,)])


if __name__ == "__main__":
    unittest.main()
