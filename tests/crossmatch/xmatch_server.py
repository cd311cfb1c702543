"""The cross-match service of the CDS for one table of a few thousand rows, with faults when wanted."""

import email.parser
import email.policy
import http.server
import threading
import time

import astropy.units as u
import numpy as np
from astropy.coordinates import SkyCoord
from astropy.table import Table


def cell(value):
    if isinstance(value, (float, np.floating)):
        return "" if np.isnan(value) else repr(float(value)) if isinstance(value, np.float64) else str(value)
    if isinstance(value, (bool, np.bool_)):
        return str(int(value))
    return str(value)


class XMatchServer:
    """`with XMatchServer(right) as server:` `right`: columns by name, RA_ICRS and DE_ICRS among them.

    limit         rows of an answer, beyond which it is cut without a sign
    answer        a function of (number of the job from 0, body) that gives (status, body) instead
    hold          a function called with the number of the job before it is answered
    turn_around   rows in an order that shows nothing of a cut
    ban           jobs from this number on get 403
    announced     False: without a Content-Length
    """

    def __init__(self, right, limit=10**9, answer=None, hold=None, turn_around=False, ban=10**9, announced=True):
        self.right, self.limit, self.changed, self.hold = right, limit, answer, hold
        self.turn_around, self.ban, self.announced = turn_around, ban, announced
        self.uploads, self.fields, self.agents = [], [], []
        self.lock, self.at_work, self.most_at_work = threading.Lock(), 0, 0
        self.rows = np.flatnonzero(np.isfinite(right["RA_ICRS"]) & (np.abs(right["DE_ICRS"]) <= 90))
        self.places = SkyCoord(right["RA_ICRS"][self.rows] * u.deg, right["DE_ICRS"][self.rows] * u.deg)

    def __enter__(self):
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                outer.serve(self)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/xmatch/api/v1/sync"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()

    def serve(self, handler):
        with self.lock:
            self.at_work += 1
            self.most_at_work = max(self.most_at_work, self.at_work)
            number = len(self.uploads)
            self.agents.append(handler.headers["User-Agent"])
            self.uploads.append(None)
            self.fields.append(None)
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        status, text = self.reply(number, handler.headers["Content-Type"], body)
        with self.lock:
            self.at_work -= 1
        try:
            handler.send_response(status)
            if self.announced:
                handler.send_header("Content-Length", str(len(text)))
            handler.end_headers()
            handler.wfile.write(text.encode())
        except OSError:
            pass  # the client was killed

    def reply(self, number, content_type, body):
        head = f"Content-Type: {content_type}\r\n\r\n".encode()
        form = email.parser.BytesParser(policy=email.policy.HTTP).parsebytes(head + body)
        fields = {part.get_param("name", header="content-disposition"): part.get_content() for part in form.iter_parts()}
        table = Table.read(fields.pop("cat1").split(), format="ascii.csv")
        self.fields[number] = {name: value.strip() for name, value in fields.items()}
        self.uploads[number] = [int(row) for row in table["qh_row"]]
        if self.hold:
            self.hold(number)
        if number >= self.ban:
            return 403, "<html><body>Forbidden: too many jobs</body></html>"
        text = self.match(table, self.fields[number])
        return self.changed(number, text) if self.changed else (200, text)

    def match(self, table, fields):
        here = SkyCoord(table[fields["colRA1"]] * u.deg, table[fields["colDec1"]] * u.deg)
        k, i, away, _ = here.search_around_sky(self.places, float(fields["distMaxArcsec"]) * u.arcsec)
        order = np.lexsort((k, away.arcsec, i))
        if self.turn_around:
            order = order[::-1]
        order = order[: min(self.limit, int(fields.get("MAXREC", 10**9)))]
        lines = [",".join(["angDist", "qh_row", *self.right])]
        for at in order:
            row = self.rows[k[at]]
            cells = [f"{away.arcsec[at]:.6f}", str(table["qh_row"][i[at]])]
            lines.append(",".join(cells + [cell(column[row]) for column in self.right.values()]))
        return "\n".join(lines) + "\n"

    def jobs(self):
        return len(self.uploads)

    def slow(self, seconds):
        self.hold = lambda number: time.sleep(seconds)
