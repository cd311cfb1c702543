"""Shards that fetch at once share the connections of one run (--share-connections)."""

import os
import signal
import time
import unittest

from support import CATALOGUE, PRODUCTS, ZTF, Server, ShardTest, wait_until

MOST = 3
SHARED = ["--share-connections", "shared"]
ELSEWHERE = "elsewhere\n\nelsewhere boot pid\n1 1\n"  # the text of a run on another host
SILENT = 60  # seconds, after which a run counts as dead


class Lease(ShardTest):
    def serve(self, scale):
        server = Server(self.sky, "--time-scale", scale)
        server.__enter__()
        self.addCleanup(server.__exit__)
        return server

    def chain_of(self, server, most=MOST):
        self.chain(CATALOGUE, ZTF + f"max_connections = {most}\n", PRODUCTS, url=server.url)

    def slots(self):
        return list((self.folder / "shared").glob("archive-*/slot-*"))

    def assert_done(self, *processes):
        for process in processes:
            process.wait(timeout=300)
        logs = "".join(log.read_text() for log in self.folder.glob("*.log"))
        self.assertEqual([p.returncode for p in processes], [0] * len(processes), logs)

    def test_shards_at_once_are_as_polite_as_one_run(self):
        server = self.serve(1)
        self.chain_of(server)
        # All begin at once: until each of them waits, a run elsewhere has the connections.
        held = [self.write(f"shared/archive-127.0.0.1%3A{server.url.rsplit(':')[-1]}/slot-{k}", ELSEWHERE)
                for k in range(MOST)]  # fmt: skip
        shards = [self.launch_shard(k, 4, *SHARED) for k in range(4)]

        def all_wait():
            for slot in held:
                slot.touch()
            return len(list(held[0].parent.glob("owner-*"))) == 4

        wait_until(all_wait, "all shards to wait")
        self.assertEqual(server.status().get("light-curve requests", 0), 0)
        for slot in held:
            slot.unlink()
        self.assert_done(*shards)
        self.assertLessEqual(server.status()["most in flight"], MOST)
        self.assertEqual(self.slots(), [])
        self.run_chain("c.run")
        self.assert_merged([f"d/shard-{k}" for k in range(4)])

    def test_connections_of_a_killed_run_are_free_within_seconds(self):
        server = self.serve(5)
        self.chain_of(server, most=1)
        killed = self.launch_shard(0, 2, *SHARED)
        wait_until(self.slots, "the connection to be used", killed)
        killed.kill()
        begin = time.monotonic()
        self.assert_done(self.launch_shard(1, 2, *SHARED))
        self.assertLess(time.monotonic() - begin, SILENT / 2)
        self.assert_done(self.launch_shard(0, 2, *SHARED, "--resume"))

    def test_a_stopped_run_of_another_host_is_left_alone_until_it_counts_as_dead(self):
        server = self.serve(20)
        self.chain_of(server, most=1)
        stopped = self.launch_shard(0, 2, *SHARED)

        def stopped_with_a_slot():
            if not self.slots():
                return False
            stopped.send_signal(signal.SIGSTOP)
            os.waitid(os.P_PID, stopped.pid, os.WSTOPPED | os.WNOWAIT)
            if self.slots():
                return True
            stopped.send_signal(signal.SIGCONT)
            return False

        wait_until(stopped_with_a_slot, "a connection to be used", stopped)
        (slot,) = self.slots()
        slot.write_text(ELSEWHERE)
        os.utime(slot, times=(time.time() - SILENT / 3,) * 2)
        other = self.launch_shard(1, 2, *SHARED)
        wait_until(lambda: (slot.parent / "starving").exists(), "the other to ask for a connection", other)
        asked = server.status().get("light-curve requests", 0)
        time.sleep(5)
        self.assertEqual(server.status().get("light-curve requests", 0), asked)
        os.utime(slot, times=(time.time() - SILENT - 5,) * 2)
        self.assert_done(other)
        stopped.send_signal(signal.SIGCONT)
        self.assert_done(stopped)
        self.assertEqual(server.status()["most in flight"], 1)

    def test_a_folder_that_cannot_be_shared(self):
        self.chain(CATALOGUE, ZTF, PRODUCTS)
        self.write("file", "")
        said = self.run_chain("c.run", "--share-connections", "file", expect=2).stderr
        self.assertIn("--share-connections: file: ", said)
        self.assertIn("take a folder that all machines see", said)


if __name__ == "__main__":
    unittest.main()
