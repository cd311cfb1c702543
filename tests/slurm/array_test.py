"""Shards in job arrays of a real SLURM: fetched by one client, then killed, stopped, requeued, with a
node that fails; afterwards the products are those of a single run."""

import contextlib
import os
import pathlib
import signal
import unittest

from cluster import CONNECTIONS, ClusterTest
from support import wait_until

SHARDS = 8


class ArrayTest(ClusterTest):
    def test_disturbed_and_resumed(self):
        server = self.serve("--throttle", "irsa", "--time-scale", "400")
        chain = self.sky_chain(server)
        whole = self.whole(chain)
        asked = self.asked(server)
        self.shut(*range(SHARDS))
        jobs = self.submit(chain, "--shards", SHARDS, "--slurm-options", "-c 1")
        array = jobs["shards"]
        self.kill_one(0)
        self.stop_one(1, array)
        self.requeue_one(2, array)
        self.lose_the_node_of(3, array)
        for k in range(SHARDS):
            self.gate(k).unlink(missing_ok=True)
        self.slurm.wait(on=self.start_those_that_wait)
        self.assertEqual(self.codes(jobs["fetch"]), {"": ("COMPLETED", "0:0")}, self.logs())
        self.assertEqual(self.codes(array)["1"], ("FAILED", "130:0"), self.logs())
        states, _ = self.states(self.into)
        self.assertEqual(states, ["killed", "stopped"] + ["done"] * (SHARDS - 2), self.logs())
        self.assertFalse(list((self.into / "merged").glob("*.fits")))

        jobs = self.submit("--resume")
        self.slurm.wait()
        self.assertEqual(self.codes(jobs["shards"]), dict.fromkeys("01", ("COMPLETED", "0:0")), self.logs())
        self.assertEqual(self.codes(jobs["merge"]), {"": ("COMPLETED", "0:0")}, self.logs())
        self.assert_same_products(self.into / "merged", whole)
        # Nothing was asked twice, and never by more than one client.
        self.assertEqual(self.asked(server), 2 * asked)
        self.assertLessEqual(server.status()["most in flight"], CONNECTIONS)
        said = self.qsohost("submit", "--into", self.into, "--resume", env=self.slurm.environment)
        self.assertIn("done and merged", said)

    def kill_one(self, shard):
        os.kill(self.wait_at_gate(shard)["pid"], signal.SIGKILL)

    def stop_one(self, shard, array):
        self.wait_at_gate(shard)
        job = self.slurm.job(array)[str(shard)]["JobId"]
        # It comes back late, and with an error, if SLURM thinks that the job has only just begun.
        self.slurm.start("scancel", "--batch", "--signal=TERM", job)
        log = self.into / f"log/{array}_{shard}.log"
        self.slurm.wait_for(lambda: "finishing the batches in flight" in log.read_text(), "TERM")
        self.gate(shard).unlink()

    def requeue_one(self, shard, array):
        self.wait_at_gate(shard)
        with self.ended_and_queued_again(shard, array, f"SLURM_ARRAY_TASK_ID={shard}"):
            self.slurm.run("scontrol", "requeue", f"{array}_{shard}")

    def lose_the_node_of(self, shard, array):
        self.wait_at_gate(shard)
        node = self.slurm.job(array)[str(shard)]["NodeList"]
        with self.ended_and_queued_again(shard, array, f"SLURMD_NODENAME={node}"):
            self.slurm.run("scontrol", "update", f"NodeName={node}", "State=DOWN", "Reason=test")
        # It may be back by itself.
        self.slurm.run("scontrol", "update", f"NodeName={node}", "State=RESUME", check=False)

    @contextlib.contextmanager
    def ended_and_queued_again(self, shard, array, variable):
        """SLURM queues a task again before the programs of a lost node are gone; one that comes back
        meanwhile is refused, by its node or by qsohost."""
        programs = self.slurm.programs(variable)
        yield
        self.slurm.wait_for(lambda: self.slurm.job(array)[str(shard)]["Restarts"] == "1",
                            f"shard {shard} to be queued again")  # fmt: skip
        self.slurm.wait_for(lambda: not programs & self.slurm.programs(variable), "its programs to end")

    def test_unsettled_objects_fail_no_job(self):
        fails = self.folder / "fails"
        fails.touch()
        chain = self.write_chain()
        chain.write_text(chain.read_text().replace("ms = 0", f'fails_while = "{fails}"'))
        jobs = self.submit(chain, "--shards", 3)
        self.slurm.wait()
        for job in ("shards", "merge"):
            states = {state for state, _ in self.codes(jobs[job]).values()}
            self.assertEqual(states, {"COMPLETED"}, self.logs())
        self.assertEqual(self.states(self.into)[0], ["done, some unsettled"] * 3)

    def test_two_tasks_on_one_shard(self):
        """The second is refused; the first has the threads of its task, and its job's number."""
        chain = self.write_chain(objects=400)
        self.shut(0, 1)
        jobs = self.submit(chain, "--shards", 2, "--slurm-options", "-c 2")
        holder = self.wait_at_gate(1)
        self.assertEqual(holder["job"], f"{jobs['shards']}_1")
        words = pathlib.Path(f"/proc/{holder['pid']}/cmdline").read_bytes().split(b"\0")
        self.assertEqual(words[words.index(b"-j") + 1], b"2")
        self.gate(0).unlink()  # there are four cores
        second = self.slurm.run("sbatch", "--parsable", "--array=1", self.into / "shards.sbatch").stdout.strip()
        self.slurm.wait_for(lambda: self.codes(second)["1"][0] == "FAILED", "the second task")
        self.assertEqual(self.codes(second), {"1": ("FAILED", "2:0")}, self.logs())
        log = (self.into / f"log/{second}_1.log").read_text()
        self.assertIn(f"in use by another qsohost (job {jobs['shards']}_1, ", log)
        self.gate(1).unlink()
        self.slurm.wait()
        self.assertEqual(self.states(self.into)[0], ["done"] * 2)


if __name__ == "__main__":
    unittest.main()
