"""Killed at any instant, a resumed run gives the same files as an undisturbed one."""

import signal
import time
import unittest

from support import PATIENCE, ROOT, ChainTest, make_sample, wait_until

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

    def test_a_killed_run_resumes_to_the_same_files(self):
        self.kill_and_resume(self.args, "run", self.seconds)
        self.assert_same_files(self.folder / "whole", self.folder / "run")

    def test_an_interrupted_run_resumes_to_the_same_files(self):
        process = self.launch(*self.args, "--run-dir", "run")
        wait_until((self.folder / "run/.qsohost/run.db").exists, "the run has begun", process)
        time.sleep(self.seconds * 0.2)
        process.send_signal(signal.SIGINT)
        code = process.wait(timeout=PATIENCE)
        self.assertIn(code, (0, 130))  # 0: it was done before the signal came
        if code == 130:
            self.assertFalse(list((self.folder / "run").glob("*.fits")))
            self.qsohost(*self.args, "--run-dir", "run", "--resume")
        self.assert_same_files(self.folder / "whole", self.folder / "run")


if __name__ == "__main__":
    unittest.main()
