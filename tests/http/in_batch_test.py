"""What a user sees of a batch whose objects are answered one after the other, slowly."""

import json
import subprocess
import threading
import time
import unittest

from servers import PATIENCE, QSOHOST, Archive, HttpTest, interrupt, wait_until


def one_at_a_time(pause):
    lock = threading.Lock()

    def handle(_handler, _source, _times):
        with lock:
            time.sleep(pause)

    return handle


class InBatch(HttpTest):
    def status(self):
        done = subprocess.run(
            [QSOHOST, "status", self.folder / "run", "--json"], capture_output=True, text=True, timeout=PATIENCE
        )
        return json.loads(done.stdout) if done.returncode == 0 else {}

    def fetching(self):
        """What `status` tells of the fetcher; it is noted every five seconds."""
        return (self.status().get("fetching") or [{"settled": 0}])[0]

    def test_status_lines_and_a_long_drain_tell_of_objects_inside_a_batch(self):
        with Archive(one_at_a_time(0.25)) as archive:
            self.chain(archive.url, objects=600, rows=600)
            process = self.start()
            wait_until(lambda: self.fetching()["settled"] > 0, "settled objects", process)
            seen = self.fetching()
            self.assertEqual((seen["stage"], seen["objects"]), ("echo", 600))
            self.assertEqual(seen["requests"], 600 - seen["settled"])
            self.assertGreater(seen["objects_per_second"], 0)
            self.assertEqual(self.status()["objects"], 0)
            wait_until(lambda: "of 600 settled" in self.log(), "a line of progress", process)
            interrupt(process)
            wait_until(lambda: "loses nothing that was answered" in self.log(), "the warning", process)
            interrupt(process)
            self.assertEqual(process.wait(timeout=PATIENCE), 130, self.log())
            answered = len(archive.asked)
        with Archive(port=archive.port) as back:
            self.assertEqual(self.start("--resume").wait(timeout=PATIENCE), 0, self.log())
        self.assert_whole(600)
        # At most the requests that were under way at the interrupt are sent again.
        self.assertLessEqual(len(back.asked) + answered, 600 + 24)


if __name__ == "__main__":
    unittest.main()
