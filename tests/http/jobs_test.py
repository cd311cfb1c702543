"""Objects that are jobs of an archive that wants a token: the plugin of examples/job-queue-plugin."""

import http.server
import json
import pathlib
import threading
import time
import unittest
import urllib.parse

from servers import TEST_PLUGINS, HttpTest, wait_until

TOKEN = "t0ken-of/mine"
RESULT = """###MJD m dm uJy duJy F err
58000.1 18.1 0.02 210 4 o 0
58001.1 18.2 0.02 190 4 c 0 t0ken-of/mine
"""
CHAIN = f"""
[chain]
name = "jobs"
plugins = ["{TEST_PLUGINS}/plugins/job-queue.so"]
batch_rows = 5
[[stage]]
use = "catalog-source"
path = "targets.csv"
[[stage]]
use = "job-queue"
look_every = 0.05
[[stage]]
use = "fits-sink"
what = "jobs"
"""


class Queue:
    """Jobs that take `takes` seconds. It says the token back wherever it can: in the URLs of jobs
    and results, in messages, in results."""

    def __init__(self, takes=0.1, port=0):
        self.jobs = {}
        self.asked = []
        queue = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def send(self, code, body):
                body = body if isinstance(body, str) else json.dumps(body)
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def refuse(self):
                token = self.headers["Authorization"].removeprefix("Token ")
                if token == TOKEN:
                    return False
                self.send(401, {"detail": f"Invalid token {token}."})
                return True

            def state(self, job):
                done = time.monotonic() - queue.jobs[job] > takes
                key = "?token=" + urllib.parse.quote(TOKEN, safe="")
                return {
                    "url": f"{queue.url}/queue/{job}/{key}",
                    "finishtimestamp": "now" if done else None,
                    "result_url": f"{queue.url}/result/{job}/{key}",
                    "error_msg": None,
                }

            def do_POST(self):
                self.rfile.read(int(self.headers["Content-Length"]))
                queue.asked.append(self.path)
                if self.refuse():
                    return
                job = len(queue.asked)
                queue.jobs[job] = time.monotonic()
                self.send(201, self.state(job))

            def do_GET(self):
                queue.asked.append(self.path)
                if self.refuse():
                    return
                _, what, job, query = self.path.split("/")
                if urllib.parse.parse_qs(query[1:]) != {"token": [TOKEN]}:
                    return self.send(401, "the token in the URL is wrong")
                if int(job) not in queue.jobs:
                    return self.send(404, {"detail": "Not found.", "token": TOKEN})
                if what == "queue":
                    return self.send(200, self.state(int(job)))
                self.send(200, RESULT)

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def posts(self):
        return sum(path.endswith("/queue/") for path in self.asked)


class Jobs(HttpTest):
    def setUp(self):
        super().setUp()
        self.write("chain.toml", CHAIN)
        rows = "".join(f"{k},{150 + k / 10},2.0\n" for k in range(1, 11))
        self.write("targets.csv", "source_id,ra,dec\n" + rows)
        self.write("token", TOKEN + "\n")

    def run_jobs(self, queue, *args, token="file:token", expect=0):
        return self.qsohost(
            "--chain", "chain.toml", "--run-dir", "run", f"--set=job-queue.url={queue.url}",
            f"--set=job-queue.token={token}", *args, expect=expect,
        )  # fmt: skip

    def kill_when_queued(self, queue):
        """A run that is killed once it knows the jobs of all objects."""
        process = self.start(f"--set=job-queue.url={queue.url}", "--set=job-queue.token=file:token")
        wait_until(lambda: queue.posts() == 10 and self.stored() == 10, "the jobs are queued", process)
        process.kill()
        process.wait()

    def files_with_the_token(self):
        forms = {TOKEN, urllib.parse.quote(TOKEN, safe=""), "t0ken-of"}
        files = [f for f in pathlib.Path(self.folder).rglob("*") if f.is_file()]
        self.assertGreater(len(files), 4)
        bad = [f for f in files for form in forms if form.encode() in f.read_bytes()]
        return [f.name for f in bad if f.name != "token"]

    def test_forgotten_jobs_are_queued_anew(self):
        """Killed when its jobs were queued; the archive has none of them when it is resumed."""
        with Queue(takes=60) as queue:
            self.kill_when_queued(queue)
        with Queue(port=queue.port) as queue:
            queue.asked = ["earlier"] * 1000  # other numbers than those of the jobs forgotten
            done = self.run_jobs(queue, "--resume")
            self.assertEqual(queue.posts(), 10)
        self.assertRegex(done.stdout, r"job-queue +Fetcher +10 +10 .* 10 +0 +0 +0\n")

    def test_kept_jobs_are_not_queued_again(self):
        with Queue(takes=3) as queue:
            self.kill_when_queued(queue)
            self.run_jobs(queue, "--resume")
            self.assertEqual(queue.posts(), 10)

    def test_the_token_is_in_no_file(self):
        """In a header and in the query of URLs, and said back by the archive: never stored."""
        with Queue() as queue:
            done = self.run_jobs(queue, "--record=rec", "--trace=trace.json", "--limit=5")
            self.assertTrue(any("token=t0ken-of%2Fmine" in path for path in queue.asked))
            self.write("stdout", done.stdout + done.stderr)
            self.assertEqual(self.files_with_the_token(), [])
            self.run_replay(queue)

    def run_replay(self, queue):
        """The recording serves, though its URLs hold no token."""
        self.write("other", "an0ther-token\n")
        done = self.qsohost(
            "--chain", "chain.toml", "--run-dir", "again", "--replay=rec", "--limit=5",
            "--set=job-queue.token=file:other", f"--set=job-queue.url={queue.url}",
        )  # fmt: skip
        self.assertRegex(done.stdout, r"job-queue +Fetcher +5 +5 .* 5 +0 +0 +0\n")

    def test_the_token_is_in_no_message(self):
        with Queue() as queue:
            done = self.run_jobs(queue, token="file:token")
            self.write("token", "wr0ng-token/of-mine\n")
            refused = self.run_jobs(queue, "--restart", expect=1)
        self.assertIn("Invalid token ***.", refused.stderr)
        for said in (done, refused):
            self.assertNotIn("token/of-mine", said.stdout + said.stderr)
        self.assertLessEqual(queue.posts(), 10 + 10)

    def test_requests_are_logged_at_level_debug(self):
        with Queue() as queue:
            done = self.run_jobs(queue, "--log-level=debug", "--limit=1")
            quiet = self.run_jobs(queue, "--log-level=warning", "--restart")
        self.assertRegex(done.stderr, r"debug: POST http://127.0.0.1:\d+/queue/: HTTP 201, \d+ bytes")
        self.assertRegex(done.stderr, r"debug: GET .*/result/\d+/\?token=\*\*\*: HTTP 200")
        self.assertEqual(quiet.stderr, "")

    def test_a_secret_as_the_value_of_an_option_is_refused(self):
        with Queue() as queue:
            done = self.run_jobs(queue, token=TOKEN, expect=2)
        self.assertIn("never the secret itself", done.stderr)
        self.assertNotIn("t0ken", done.stderr)


if __name__ == "__main__":
    unittest.main()
