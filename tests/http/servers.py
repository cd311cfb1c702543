"""A chain that asks a server of a test's own, and such servers."""

import collections
import contextlib
import http.server
import pathlib
import socket
import socketserver
import sqlite3
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from chains import (  # noqa: E402, F401
    PATIENCE,
    QSOHOST,
    TEST_PLUGINS,
    ChainTest,
    interrupt,
    preloaded,
    wait_until,
)

CHAIN = """
[chain]
name = "http"
plugins = ["{plugins}/plugins/faux.so", "{plugins}/plugins/echo-survey.so"]
batch_rows = {rows}
[[stage]]
use = "faux-source"
label = "source"
objects = {objects}
[[stage]]
use = "echo-survey"
label = "echo"
url = "{url}"
[[stage]]
use = "faux-sink"
label = "raw"
last = true
"""

HEAD = "mjd,mag\n"


def answer(source):
    """What the archive holds of a source: one to five epochs."""
    rows = (f"{58000 + source * 10 + k}.5,{18 + k / 8:.3f}" for k in range(1 + source % 5))
    return HEAD + "".join(row + "\n" for row in rows)


class Archive:
    """A server on loopback. `handle(handler, source, times)` answers the times-th request for a
    source; what it does not answer itself (returns None) is answered well."""

    def __init__(self, handle=lambda *_: None, tls=None, port=0):
        self.asked = collections.Counter()
        self.when = collections.defaultdict(list)
        self.connections = 0
        self.open = set()
        self.in_flight = self.most_in_flight = 0
        self.agents = set()
        self.encodings = set()
        lock = threading.Lock()
        archive = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1  # headers and body leave together
            disable_nagle_algorithm = True

            def setup(self):
                super().setup()
                with lock:
                    archive.connections += 1
                    archive.open.add(self.connection)

            def finish(self):
                with lock:
                    archive.open.discard(self.connection)
                with contextlib.suppress(OSError):
                    super().finish()

            def log_message(self, *_):
                pass

            def send(self, body, status=200, **headers):
                body = body if isinstance(body, bytes) else body.encode()
                self.send_response(status)
                headers.setdefault("Content-Length", len(body))
                for name, value in headers.items():
                    self.send_header(name.replace("_", "-"), str(value))
                self.end_headers()
                self.wfile.write(body)

            def do_GET(self):
                self.path_source = int(self.path.rsplit("/", 1)[1])
                with lock:
                    archive.asked[self.path_source] += 1
                    times = archive.asked[self.path_source]
                    archive.when[self.path_source].append(time.monotonic())
                    archive.agents.add(self.headers["User-Agent"])
                    archive.encodings.add(self.headers["Accept-Encoding"])
                    archive.in_flight += 1
                    archive.most_in_flight = max(archive.most_in_flight, archive.in_flight)
                try:
                    body = handle(self, self.path_source, times)
                    if body is None:
                        body = answer(self.path_source)
                    if body is not False:
                        self.send(body)
                    self.wfile.flush()
                except (BrokenPipeError, ConnectionResetError):
                    self.close_connection = True
                finally:
                    with lock:
                        archive.in_flight -= 1

            do_POST = do_GET

        class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
            daemon_threads = True
            block_on_close = False
            request_queue_size = 128

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        if tls:
            self.server.socket = tls.wrap_socket(self.server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.02,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
        for connection in list(self.open):  # those kept alive go too
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class HttpTest(ChainTest):
    def chain(self, url, objects=10, rows=50):
        if "{id}" not in url:
            url += "/curve/{id}"
        return self.write(
            "chain.toml",
            CHAIN.format(plugins=TEST_PLUGINS, url=url, objects=objects, rows=rows),
        )

    def run_chain(self, url, *args, objects=10, rows=50, expect=0, **options):
        chain = self.chain(url, objects, rows)
        sets = [f"--set=echo.{name}={value}" for name, value in options.items()]
        return self.qsohost("--chain", chain, "--run-dir", "run", *sets, *args, expect=expect)

    def start(self, *args, run="run", env=None):
        """In the background; what it says goes to <run>.log."""
        log = open(self.folder / f"{run}.log", "a")
        self.addCleanup(log.close)
        process = subprocess.Popen(
            [QSOHOST, "--chain", self.folder / "chain.toml", "--run-dir", run, *map(str, args)],
            cwd=self.folder,
            stdout=log,
            stderr=log,
            env=env,
        )
        self.addCleanup(process.kill)
        return process

    def assert_ends(self, process, within):
        """After Ctrl-C. `within`: seconds, far from what a fault would take and a busy machine does."""
        begin = time.monotonic()
        interrupt(process)
        self.assertEqual(process.wait(timeout=PATIENCE), 130, self.log())
        self.assertLess(time.monotonic() - begin, within)

    def log(self, run="run"):
        return (self.folder / f"{run}.log").read_text()

    def stored(self, run="run"):
        with contextlib.closing(sqlite3.connect(self.folder / run / ".qsohost/run.db")) as db:
            return db.execute("SELECT count(*) FROM answer").fetchone()[0]

    def product(self, run="run"):
        return (self.folder / run / "raw.txt").read_text()

    def expected(self, objects, without=()):
        """The sink writes id, then each column of the light curves."""
        out = ""
        for source in range(1, objects + 1):
            rows = answer(source).splitlines()[1:] if source not in without else []
            columns = [source]
            columns += [f"{float(r.split(',')[0]):.6f}" for r in rows]
            columns += [f"{float(r.split(',')[1]):.6f}" for r in rows]
            columns += ["0.100000" for _ in rows]
            out += " ".join(map(str, columns)) + "\n"
        return out

    def assert_whole(self, objects, without=()):
        self.assertEqual(self.product(), self.expected(objects, without))
