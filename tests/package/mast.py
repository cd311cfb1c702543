"""A stand-in for MAST's Pan-STARRS catalog: one mean object a target, twelve detections each.

Usage: mast.py TARGETS.csv; prints the port it listens on.
"""

import csv
import http.server
import math
import sys
import urllib.parse


def load(path):
    with open(path, newline="") as file:
        return [(float(row["ra"]), float(row["dec"])) for row in csv.DictReader(file)]


TARGETS = load(sys.argv[1])


def mean(query):
    ra, dec, radius = (float(query[name][0]) for name in ("ra", "dec", "radius"))
    lines = ["objID,raMean,decMean"]
    for number, (target_ra, target_dec) in enumerate(TARGETS):
        distance = math.hypot((target_ra - ra) * math.cos(math.radians(dec)), target_dec - dec)
        if distance <= radius:
            lines.append(f"{1000 + number},{target_ra},{target_dec}")
    return "\n".join(lines) + "\n" if len(lines) > 1 else ""


def detection(query):
    number = int(query["objID"][0])
    lines = ["detectID,filterID,obsTime,psfFlux,psfFluxErr"]
    for k in range(12):
        flux = 3.631e-5 * (1 + 0.1 * math.sin(k + number))
        lines.append(f"{number * 100 + k},1,{55500 + 30.25 * k},{flux:.6e},{flux / 100:.6e}")
    return "\n".join(lines) + "\n"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        answer = {"mean.csv": mean, "detection.csv": detection}.get(url.path.rsplit("/", 1)[-1])
        if answer is None:
            return self.send_error(404)
        body = answer(urllib.parse.parse_qs(url.query)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/csv")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
