"""A queue like that of ATLAS, on loopback, which notes every breach of good manners."""

import contextlib
import http.server
import json
import random
import socket
import threading
import time
import urllib.parse

TOKEN = "t0ken-of-mine"
HEADER = "###MJD m dm uJy duJy F err chi/N RA Dec x y maj min phi apfit mag5sig Sky Obs"


def rows(ra):
    """What the archive has at a position: MJD, m, dm, uJy, duJy, F."""
    rng = random.Random(round(ra * 1e5))
    out = []
    for k in range(rng.randrange(2, 12)):
        flux = rng.randrange(-60, 900)
        mag = round(abs(18 + rng.random()), 3) * (1 if flux >= 0 else -1)
        out.append((57300 + k + round(rng.random(), 6), mag, 0.05, flux, 15, "co"[k % 2]))
    return out


def result(ra):
    rest = "0 1.20 {} 2.2 2179.59 9252.78 3.41 3.09 -51.0 -0.396 19.28 21.28 02a59228o0102c"
    lines = (" ".join(map(str, row)) + " " + rest.format(ra) for row in rows(ra))
    return "".join(f"{line}\n" for line in [HEADER, *lines])


class Queue:
    """Each task takes `takes` seconds; every `throttled`-th POST is answered 429, and the next one
    must wait `wait` seconds. `nothing`: right ascensions where there are no data."""

    def __init__(self, takes=0.2, throttled=0, wait=1, nothing=(), port=0):
        self.takes, self.throttled, self.wait, self.nothing = takes, throttled, wait, set(nothing)
        self.tasks = {}  # number to the time of its POST, right ascension, times of looks
        self.forms = {}  # what was posted
        self.deleted = set()
        self.positions = []  # of all POSTs that became tasks
        self.requests = []  # method and path
        self.breaches = []
        self.writes = self.throttles = self.in_flight = self.most_in_flight = 0
        self.not_before = 0.0
        self.lock = threading.Lock()
        queue = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1
            disable_nagle_algorithm = True

            def log_message(self, *_):
                pass

            def send(self, code, body=""):
                body = body if isinstance(body, str) else json.dumps(body)
                self.send_response(code)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body.encode())

            def handle_one(self):
                data = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                with queue.lock:
                    queue.in_flight += 1
                    queue.most_in_flight = max(queue.most_in_flight, queue.in_flight)
                    queue.requests.append((self.command, self.path))
                    if not (self.headers["User-Agent"] or "").startswith("qsohost/"):
                        queue.breaches.append("no User-Agent")
                    if self.headers["Authorization"] != f"Token {TOKEN}":
                        answer = 401, {"detail": "Invalid token."}
                    else:
                        answer = getattr(queue, self.command.lower())(self.path, data)
                with contextlib.suppress(OSError):
                    self.send(*answer)
                    self.wfile.flush()
                with queue.lock:
                    queue.in_flight -= 1

            do_GET = do_POST = do_DELETE = handle_one

        class Server(http.server.ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True
            block_on_close = False

            def handle_error(self, *_):
                pass

        self.server = Server(("127.0.0.1", port), Handler)
        self.port = self.server.server_port
        self.url = f"http://127.0.0.1:{self.port}/forcedphot"

    def __enter__(self):
        threading.Thread(target=self.server.serve_forever, args=(0.02,)).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        with contextlib.suppress(OSError):
            self.server.socket.shutdown(socket.SHUT_RDWR)
        self.server.server_close()

    def post(self, _path, data):
        now = time.monotonic()
        if now < self.not_before:
            self.breaches.append(f"a POST {self.not_before - now:.3f} s too early")
        form = dict(urllib.parse.parse_qsl(data, strict_parsing=True))
        if "mjd_min" not in form:
            self.breaches.append("no mjd_min")
        self.writes += 1
        if self.throttled and self.writes % self.throttled == 0:
            self.throttles += 1
            self.not_before = now + self.wait
            when = f"{self.wait} seconds" if self.wait % 60 else f"{self.wait // 60} minutes"
            return 429, {"detail": f"Request was throttled. Expected available in {when}."}
        task = 1000 + len(self.tasks)
        ra = float(form["ra"])
        self.tasks[task] = (now, ra, [])
        self.forms[task] = form
        self.positions.append(ra)
        return 201, self.state(task)

    def state(self, task):
        begin, ra, _ = self.tasks[task]
        done = time.monotonic() - begin > self.takes
        nothing = ra in self.nothing
        return {
            "id": task,
            "url": f"{self.url}/queue/{task}/",
            "finishtimestamp": "2026-01-01T00:00:00Z" if done else None,
            "result_url": f"{self.url}/static/results/job{task}.txt" if done and not nothing else None,
            "error_msg": "No data returned" if done and nothing else None,
        }

    def known(self, path):
        task = int("".join(c for c in path.rstrip("/").rsplit("/", 1)[1] if c.isdigit()))
        return task if task in self.tasks and task not in self.deleted else None

    def list(self, path):
        """Pages of three, the newest first."""
        tasks = sorted(set(self.tasks) - self.deleted, reverse=True)
        begin = int(path.partition("=")[2] or 0)
        results = []
        for task in tasks[begin : begin + 3]:
            form = self.forms[task]
            place = {"ra": float(form["ra"]), "dec": float(form["dec"])}
            results.append(self.state(task) | place | {"comment": form.get("comment")})
        more = f"{self.url}/queue/?cursor={begin + 3}" if tasks[begin + 3 :] else None
        return {"next": more, "previous": None, "results": results}

    def get(self, path, _data):
        if path.partition("?")[0].endswith("/queue/"):
            return 200, self.list(path)
        task = self.known(path)
        if task is None:
            return 404, {"detail": "Not found."}
        if "/results/" in path:
            return 200, result(self.tasks[task][1])
        state, looks = self.state(task), self.tasks[task][2]
        looks.append(time.monotonic())
        if len(looks) > 4 and looks[-1] - looks[-2] < 0.3 and not state["finishtimestamp"]:
            self.breaches.append(f"look {len(looks)} after {looks[-1] - looks[-2]:.3f} s")
        return 200, state

    def delete(self, path, _data):
        task = self.known(path)
        if task is None:
            return 404, {"detail": "Not found."}
        self.deleted.add(task)
        return 204, ""

    def left(self):
        return len(self.tasks) - len(self.deleted)
