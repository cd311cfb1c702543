"""Plugins that end the program, or break its memory: what a user sees of them."""

import os
import subprocess
import unittest

from support import QSOHOST, TEST_PLUGINS, ChainTest

CHAIN = """
[chain]
name = "bad"
batch_rows = 10
plugins = ["{bad}", "{faux}"]
[[stage]]
use = "faux-source"
label = "source"
[[stage]]
use = "{use}"
label = "bad"
[[stage]]
use = "faux-sink"
label = "sink"
"""


class MuseumTest(ChainTest):
    def chain(self, plugin, use):
        bad = TEST_PLUGINS / "bad" / plugin / f"{plugin}.so"
        faux = TEST_PLUGINS / "plugins" / "faux.so"
        return bad, self.write("chain.toml", CHAIN.format(bad=bad, faux=faux, use=use))

    def assert_ends_with_words(self, use, *words):
        plugin, chain = self.chain("terminates", use)
        error = self.qsohost("--chain", chain, expect=1).stderr
        for text in (*words, f"in code of plugin {plugin}", "--resume goes on from there"):
            self.assertIn(text, error)
        return chain

    def test_an_exception_in_a_thread_ends_the_run_with_its_message(self):
        chain = self.assert_ends_with_words("throws-in-thread", "the disk is full (std::runtime_error)")
        # The run is there, and whoever mends the chain's plugin goes on with it.
        error = self.qsohost("--chain", chain, "--resume", expect=1).stderr
        self.assertIn("the disk is full", error)

    def test_a_thrown_number_is_reported_by_type(self):
        self.assert_ends_with_words("throws-number-in-thread", "a value of type 'int'")

    def test_an_exception_in_close_is_reported(self):
        self.assert_ends_with_words("throws-in-close", "cannot say goodbye", "must not leave close()")

    def test_an_exception_in_a_destructor_is_reported(self):
        self.assert_ends_with_words("throws-in-destructor", "cannot say goodbye", "a destructor")

    def test_a_plugin_that_crashes_as_it_is_loaded_is_refused(self):
        plugin, chain = self.chain("crashing_static", "static")
        error = self.qsohost("--chain", chain, "--check", expect=2).stderr
        self.assertIn(f"{plugin}: crashes as it is loaded (Segmentation fault)", error)
        folder = {"QSOHOST_PLUGIN_PATH": str(plugin.parent)}
        error = self.qsohost("inspect", "static", expect=2, env=folder).stderr
        self.assertIn("crashes as it is loaded (Segmentation fault)", error)

    def test_a_span_that_outlives_its_batch_is_caught_by_the_address_sanitizer(self):
        """The host cannot see it; an author can, with a plugin built with -fsanitize=address."""
        plugin, chain = self.chain("keeps_asan", "keeps-span")
        if not plugin.exists():
            self.skipTest("this build has another sanitizer in it")
        library = subprocess.run(
            ["g++", "-print-file-name=libasan.so"], check=True, capture_output=True, text=True
        ).stdout.strip()
        env = {**os.environ, "LD_PRELOAD": library, "ASAN_OPTIONS": "detect_leaks=0"}
        done = subprocess.run(
            [QSOHOST, "--chain", chain, "-j1", "--in-flight", "1"],
            capture_output=True, text=True, cwd=self.folder, env=env, timeout=600,
        )  # fmt: skip
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("heap-use-after-free", done.stderr)
        self.assertRegex(done.stderr, r"#0 .* in look .*keeps")


if __name__ == "__main__":
    unittest.main()
