"""`qsohost submit` and `qsohost status` over shards without any scheduler: the scripts and the manifest,
what is refused, and what has become of shards that were run by hand."""

import os
import pathlib
import shutil
import signal
import socket
import stat
import subprocess
import threading
import time
import unittest

from support import QSOHOST, TEST_PLUGINS, ShardsTest, wait_until

ARCHIVE_CHAIN = """
[chain]
name = "archive"
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "irsa-ztf"
label = "ztf"
url = "http://127.0.0.1:1"
[[stage]]
use = "fits-sink"
what = "ztf"
"""


class ScriptsTest(ShardsTest):
    def setUp(self):
        super().setUp()
        self.chain = self.write_chain()
        self.into = self.folder / "runs"
        self.bin = self.folder / "bin"
        self.bin.mkdir()
        self.array_size(1001)
        self.fake("squeue", "true")
        self.fake("sbatch", 'echo "$@" >> "$SBATCH_LOG"; wc -l < "$SBATCH_LOG"')
        self.log = self.folder / "sbatch.log"
        self.env = {"PATH": f"{self.bin}:{os.environ['PATH']}", "SBATCH_LOG": str(self.log)}

    def fake(self, name, command):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{command}\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)

    def array_size(self, size):
        self.fake("scontrol", f"echo 'MaxArraySize            = {size}'")

    def submit(self, *args, **more):
        return self.qsohost("submit", *args, "--into", self.into, env=self.env, **more)

    def submitted(self):
        return self.log.read_text().splitlines()

    def script(self, name="shards.sbatch"):
        text = (self.into / name).read_text()
        subprocess.run(["bash", "-n", self.into / name], check=True)
        return text

    def test_what_is_written_and_submitted(self):
        self.submit(self.chain, "--shards", 8, "--max-running", 3, "--slurm-options",
                    "-p long -t 8:00:00 -c 4", "--set", "fetch.lanes=2")  # fmt: skip
        script = self.script()
        for line in ("--array=0-7%3", "-p long -t 8:00:00 -c 4", "--requeue", "--open-mode=append",
                     "--signal=B:TERM@120", f"--output={self.into}/log/%A_%a.log"):  # fmt: skip
            self.assertIn(f"#SBATCH {line}\n", script)
        self.assertRegex(script, r"\nexec \S*qsohost --chain \S+/chain.toml --set fetch.lanes=2 ")
        self.assertIn("${SLURM_CPUS_PER_TASK:-$(nproc)}", script)
        manifest = self.manifest(self.into)
        self.assertEqual((manifest["shards"], manifest["chain"]), (8, str(self.chain)))
        self.assertEqual(manifest["set"], ["fetch.lanes=2"])
        self.assertIn(manifest["digest"], script)
        array, merge = self.submitted()
        self.assertIn("--array=0-7%3", array)
        self.assertIn("--dependency=afterany:1", merge)
        self.assertFalse((self.into / "fetch.sbatch").exists())  # faux-fetch sends no requests

    def test_a_dry_run_writes_nothing(self):
        said = self.submit(self.chain, "--shards", 8, "--dry-run")
        self.assertIn("#SBATCH --array=0-7\n", said)
        self.assertFalse(self.into.exists())
        self.assertFalse(self.log.exists())

    def test_more_shards_than_an_array_holds(self):
        self.array_size(3)  # indices 0, 1, 2
        self.submit(self.chain, "--shards", 8)
        self.assertIn("#SBATCH --array=0-2\n", self.script())
        for task, shards in (("0", [0, 1, 2]), ("2", [6, 7])):
            done = subprocess.run(["bash", self.into / "shards.sbatch"], capture_output=True, text=True,
                                  env=os.environ | {"SLURM_ARRAY_TASK_ID": task})  # fmt: skip
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            states, _ = self.states(self.into)
            self.assertEqual([states[k] for k in shards], ["done"] * len(shards))
        self.assertEqual(states[3:6], ["never started"] * 3)
        self.submit("--resume")
        self.assertIn("--array=1 ", self.submitted()[-2])

    def test_a_task_of_several_shards_hands_on_a_signal(self):
        self.array_size(1)
        self.chain = self.write_chain(objects=800, ms=300)  # more batches than are in flight
        self.submit(self.chain, "--shards", 2)
        task = subprocess.Popen(["bash", self.into / "shards.sbatch"], stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL,
                                env=os.environ | {"SLURM_ARRAY_TASK_ID": "0"})  # fmt: skip
        wait_until(lambda: self.states(self.into)[0][0] == "running", "the first shard", task)
        task.send_signal(signal.SIGTERM)
        self.assertEqual(task.wait(timeout=100), 130)
        self.assertEqual(self.states(self.into)[0], ["stopped", "never started"])

    def run_script(self, name="shards.sbatch", task=0, expect=0):
        done = subprocess.run(["bash", self.into / name], capture_output=True, text=True, cwd="/",
                              env=os.environ | {"SLURM_ARRAY_TASK_ID": str(task)})  # fmt: skip
        self.assertEqual(done.returncode, expect, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def run_all(self, shards):
        for task in range(shards):
            self.run_script(task=task)
        self.run_script("merge.sbatch")

    def test_names_with_blanks_quotes_and_percents(self):
        self.into = self.folder / "it's 100% \"my runs\""
        self.chain = self.chain.rename(self.folder / "o'brien's $HOME.toml")
        self.submit(self.chain, "--shards", 2)
        self.assertIn("100%% ", self.script())  # % begins what SLURM fills in
        self.run_all(2)
        self.qsohost("--chain", self.chain, "--run-dir", "whole")
        self.assert_same_products(self.into / "merged", self.folder / "whole")
        self.assertIn("backslash", self.qsohost("submit", self.chain, "--shards", 2, "--into", "a\\b",
                                                env=self.env, expect=2))  # fmt: skip

    def test_a_folder_that_is_relative(self):
        printed = self.qsohost("submit", self.chain.name, "--shards", 1, "--into", "runs", "--dry-run", env=self.env)
        self.assertIn(f"--run-dir {self.into}/", printed)
        self.into.mkdir()
        (self.into / "notes").touch()
        self.qsohost("submit", self.chain.name, "--shards", 1, "--into", "runs", env=self.env)
        self.assertIn(f"#SBATCH --output={self.into}/log/", self.script())
        self.assertIn("#SBATCH --array=0-0\n", self.script())
        self.run_all(1)
        self.assertEqual(self.states(self.into)[0], ["done"])

    def test_more_shards_than_objects(self):
        self.chain = self.write_chain(objects=2)
        self.submit(self.chain, "--shards", 5)
        self.run_all(5)
        self.qsohost("--chain", self.chain, "--run-dir", "whole")
        self.assert_same_products(self.into / "merged", self.folder / "whole")
        self.run_script("merge.sbatch")  # as a merge that is requeued
        self.log.unlink()
        self.assertIn("done and merged", self.submit("--resume"))
        self.assertFalse(self.log.exists())

    def test_only_the_merge_is_left(self):
        self.submit(self.chain, "--shards", 2)
        for task in range(2):
            self.run_script(task=task)
        self.log.unlink()
        self.submit("--resume")
        self.assertEqual(self.submitted(), [f"--parsable {self.into}/merge.sbatch"])

    def test_objects_that_failed_are_done_again(self):
        fails = self.folder / "fails"
        self.chain.write_text(self.chain.read_text().replace("ms = 0", f'fails_while = "{fails}"'))
        self.qsohost("--chain", self.chain, "--run-dir", "whole")
        fails.touch()
        self.submit(self.chain, "--shards", 2)
        self.run_all(2)
        self.assertIn("--retry-failed", self.qsohost("status", self.into))
        self.assertIn("done and merged", self.submit("--resume"))
        fails.unlink()
        self.submit("--retry-failed")
        self.assertIn("--array=0-1", self.submitted()[-2])
        self.run_all(2)
        self.assertEqual(self.states(self.into)[0], ["done"] * 2)
        self.assert_same_products(self.into / "merged", self.folder / "whole")

    def test_who_asks_the_archives(self):
        self.write("targets.csv", "source_id,ra,dec\n1,10,20\n")
        self.chain = self.write("irsa.toml", ARCHIVE_CHAIN)
        self.submit(self.chain, "--shards", 2)
        fetch, array, _ = self.submitted()
        self.assertIn("fetch.sbatch", fetch)
        self.assertIn("--dependency=afterok:1", array)
        self.assertIn(" --offline ", self.script())
        self.log.unlink()
        self.submit("--resume", "--fetch", "none")
        self.assertIn("shards.sbatch", self.submitted()[0])
        self.assertNotIn("--offline", self.script())

    def test_a_column_that_the_catalogue_lacks(self):
        """Only the opened catalogue tells; --check opens nothing."""
        self.write("targets.csv", "source_id,ra,dec\n1,10,20\n")
        fit = '[[stage]]\nuse = "ou-fit"\ngroups = ["ztf.g"]\nrest_frame = true\n'
        self.chain = self.write("irsa.toml", ARCHIVE_CHAIN + fit)
        self.qsohost("--chain", self.chain, "--check")
        for more in ([], ["--dry-run"]):
            self.assertIn("'z'", self.submit(self.chain, "--shards", 2, *more, expect=2))
        self.assertFalse(self.into.exists())
        self.assertFalse(self.log.exists())
        self.write("targets.csv", "source_id,ra,dec,z\n1,10,20,0.5\n")
        self.submit(self.chain, "--shards", 2)

    def test_without_a_scheduler(self):
        self.fake("sbatch", "echo sbatch: error: Unable to contact the controller; exit 1")
        said = self.submit(self.chain, "--shards", 2, expect=1)
        self.assertIn("Unable to contact", said)
        self.assertIn(f"qsohost submit --into {self.into} --resume", said)

    def test_other_schedulers(self):
        self.submit(self.chain, "--shards", 8, "--scheduler", "pbs")
        self.assertIn("#PBS -J 0-7\n", self.script("shards.pbs"))
        self.assertIn("qsub", self.submit("--resume"))
        self.into = self.folder / "condor"
        said = self.submit(self.chain, "--shards", 8, "--scheduler", "htcondor")
        self.assertIn("condor_submit", said)
        self.assertIn("queue 8\n", (self.into / "shards.condor").read_text())
        subprocess.run(["bash", self.into / "shards.sh", "5"], check=True, capture_output=True)
        self.assertEqual(self.states(self.into)[0][5], "done")
        self.assertFalse(self.log.exists())

    def test_what_is_refused(self):
        self.assertIn("--shards", self.submit(self.chain, expect=2))
        self.assertIn("CHAIN", self.submit(expect=2))
        self.assertIn("no such file", self.submit("--resume", expect=2))
        self.assertIn("asks an archive", self.submit(self.chain, "--shards", 2, "--fetch", "job", expect=2))
        self.submit(self.chain, "--shards", 2)
        self.assertIn("--resume", self.submit(self.chain, "--shards", 2, expect=2))
        self.fake("squeue", "echo 1_3")
        self.assertIn("scancel", self.submit("--resume", expect=2))
        self.fake("squeue", "true")
        self.write_chain(ms=1)
        self.assertIn("digest", self.submit("--resume", expect=2))
        for shards in 0, 1_000_001:
            (self.into / "shards.toml").write_text(f"shards = {shards}\n")
            self.assertIn("shards.toml:1", self.submit("--resume", expect=2))

    def test_a_task_of_a_chain_that_changed_is_refused(self):
        self.submit(self.chain, "--shards", 2)
        self.write_chain(ms=1)
        said = self.run_script(expect=2)
        self.assertIn(self.manifest(self.into)["digest"], said)
        self.assertIn("its options", said)
        self.assertIn("--into", said)
        self.assertEqual(self.states(self.into)[0][0], "never started")

    def test_a_task_of_a_plugin_that_changed_is_refused(self):
        """Though its version is the same."""
        plugin = self.folder / "faux.so"
        shutil.copy(TEST_PLUGINS / "plugins/faux.so", plugin)
        text = self.chain.read_text()
        self.chain.write_text(text.replace(f"{TEST_PLUGINS}/plugins/faux.so", str(plugin)))
        self.submit(self.chain, "--shards", 2)
        self.run_script(task=0)
        with open(plugin, "ab") as file:
            file.write(b"built anew")
        said = self.run_script(task=1, expect=2)
        self.assertIn("the file of a plugin or a script has changed", said)
        self.assertIn(str(plugin), said)
        self.assertIn(str(plugin), self.submit("--resume", expect=2))


class StatusTest(ShardsTest):
    def setUp(self):
        super().setUp()
        self.into = self.folder / "runs"
        self.fails = self.folder / "fails"

    def submit(self, chain, shards):
        self.qsohost("submit", chain, "--shards", shards, "--into", self.into, "--scheduler", "pbs")

    def start(self, chain, k, n):
        process = subprocess.Popen(
            [QSOHOST, "--chain", chain, "--shard", f"{k}/{n}", "--run-dir", self.into / f"shard-{k:03d}",
             "--resume", "--in-flight", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        self.addCleanup(process.kill)
        wait_until(lambda: self.states(self.into)[0][k] == "running", "the shard to begin", process)
        return process

    def holder(self, k, host, age):
        """As a task on another host would write it."""
        folder = self.into / f"shard-{k:03d}/.qsohost"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "holder").write_text(f"{host}\n12_3\n77\n{time.time() - age:.3f}\n")

    def test_states_objects_and_what_to_do(self):
        chain = self.write_chain(objects=300, ms=300)
        self.submit(chain, 5)
        self.shard(chain, 0, 5, self.into)
        killed = self.start(chain, 1, 5)
        killed.kill()
        killed.wait()
        stopped = self.start(chain, 2, 5)
        stopped.send_signal(signal.SIGTERM)
        self.assertEqual(stopped.wait(timeout=100), 130)
        running = self.start(chain, 3, 5)
        states, status = self.states(self.into)
        self.assertEqual(states, ["done", "killed", "stopped", "running", "never started"])
        self.assertEqual(status["objects_total"], 300)
        self.assertEqual(status["shards"][3]["holder"]["host"], socket.gethostname())
        self.assertEqual(status["shards"][3]["holder"]["pid"], running.pid)
        said = self.qsohost("status", self.into)
        self.assertIn("--resume", said)
        self.assertRegex(said, r"1 done; 1 running; 1 stopped; 1 killed; 1 never started")
        # A second one is refused, and told who works there.
        self.assertIn(f"process {running.pid}", self.shard(chain, 3, 5, self.into, expect=2))
        for k in (1, 2, 4):
            self.shard(chain, k, 5, self.into)
        self.assertEqual(running.wait(timeout=300), 0)
        self.assertEqual(self.states(self.into)[0], ["done"] * 5)
        subprocess.run(["bash", self.into / "merge.sbatch"], check=True, capture_output=True)
        self.assertIn("Merged", self.qsohost("status", self.into))

    def test_unsettled_and_failed_objects(self):
        chain = self.write_chain()
        chain.write_text(chain.read_text().replace("ms = 0", f'fails_while = "{self.fails}"'))
        self.fails.touch()
        self.submit(chain, 2)
        self.shard(chain, 0, 2, self.into, expect=3)
        self.shard(chain, 1, 2, self.into, "--unsettled-ok")
        self.assertEqual(self.states(self.into)[0], ["done, some unsettled"] * 2)
        failed = self.qsohost("status", self.into, "--failed").splitlines()[1:]
        self.assertEqual([line.split("\t")[0] for line in failed], [str(i) for i in range(4, 81, 10)])

    def test_an_error_is_told(self):
        chain = self.write_chain()
        chain.write_text(chain.read_text().replace("objects = 80", 'objects = 80\nfail_at = 5\nfails = "chain"'))
        self.submit(chain, 2)
        self.shard(chain, 0, 2, self.into, expect=1)
        states, status = self.states(self.into)
        self.assertEqual(states, ["failed", "never started"])
        self.assertIn("made to fail", status["shards"][0]["problem"])

    def test_a_lock_of_another_host(self):
        """Its file alone tells whether it is alive: here no lock of the file system is held."""
        chain = self.write_chain(ms=200)
        self.submit(chain, 2)
        process = self.start(chain, 0, 2)
        process.kill()
        process.wait()
        ends = threading.Event()
        self.addCleanup(ends.set)

        def beat():
            while not ends.wait(0.5):
                self.holder(0, "elsewhere", 0)

        thread = threading.Thread(target=beat)
        thread.start()
        wait_until(lambda: self.states(self.into)[0][0] == "running", "a sign of life")
        said = self.shard(chain, 0, 2, self.into, expect=2)
        self.assertIn("job 12_3, host elsewhere, process 77", said)
        ends.set()
        thread.join()
        self.holder(0, "elsewhere", 3600)
        states, status = self.states(self.into)
        self.assertEqual(states[0], "killed")
        self.assertGreater(status["shards"][0]["holder"]["seconds_silent"], 3500)
        self.shard(chain, 0, 2, self.into)
        # Silent, but not for long: it looks for a while, and then goes on.
        self.holder(1, "elsewhere", 30)
        begin = time.monotonic()
        self.shard(chain, 1, 2, self.into)
        self.assertGreater(time.monotonic() - begin, 20)
        self.assertFalse((pathlib.Path(self.into) / "shard-001/.qsohost/holder").exists())


if __name__ == "__main__":
    unittest.main()
