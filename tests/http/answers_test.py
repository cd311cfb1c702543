"""Answers of every kind, from servers that behave as real ones do."""

import unittest

from servers import Archive, HttpTest


class Answers(HttpTest):
    def test_all_well(self):
        with Archive() as archive:
            done = self.run_chain(archive.url, objects=200, contact="me@example.org")
        self.assert_whole(200)
        self.assertEqual(sum(archive.asked.values()), 200)
        self.assertEqual(archive.agents, {"qsohost/0.1.0 (+me@example.org)"})
        self.assertIn("gzip", archive.encodings.pop())
        self.assertLess(archive.connections, 10)  # kept and used again
        self.assertIn(f"127.0.0.1:{archive.port}: 200 requests, 0 of them again", done.stdout)


if __name__ == "__main__":
    unittest.main()
