"""Killed at any instant, a resumed run gives the same files as an undisturbed one."""

import os
import random
import signal
import subprocess
import time
import unittest

from support import QSOHOST, ROOT, ChainTest, make_sample

SOURCES = 40


class Resume(ChainTest):
    def setUp(self):
        super().setUp()
        make_sample(self.folder / "sample", SOURCES)
        self.args = [
            "--chain", ROOT / "tests/chains/answers.toml",
            "--set", "chain.batch_rows=3",
            "--set", f"catalog.path={self.folder}/sample/targets.csv",
            "--set", f"ztf.path={self.folder}/sample/irsa/{{source_id}}.csv",
        ]  # fmt: skip
        begin = time.monotonic()
        self.qsohost(*self.args, "--run-dir", "whole")
        self.seconds = time.monotonic() - begin

    def start(self, *args):
        return subprocess.Popen(
            [QSOHOST, *map(str, self.args), "--run-dir", "run", *args],
            cwd=self.folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def test_kill(self):
        rng = random.Random(5)
        kills = 0
        for attempt in range(40):
            # --resume begins a new run where there is none.
            process = self.start("--resume")
            try:
                process.wait(timeout=rng.uniform(0.02, self.seconds * 0.5))
                self.assertEqual(process.returncode, 0)
                break
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
                process.wait()
                kills += 1
        else:
            self.assertEqual(self.start("--resume").wait(), 0)
        self.assertGreater(kills, 0)
        self.assert_same_files(self.folder / "whole", self.folder / "run")

    def test_interrupt(self):
        process = self.start()
        time.sleep(self.seconds * 0.4)
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=60)
        self.assertIn(code, (0, 130))  # 0: it was done before the signal came
        if code == 130:
            self.assertFalse(list((self.folder / "run").glob("*.fits")))
            self.assertEqual(self.start("--resume").wait(), 0)
        self.assert_same_files(self.folder / "whole", self.folder / "run")


if __name__ == "__main__":
    unittest.main()
