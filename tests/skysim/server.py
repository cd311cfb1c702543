"""A running `skysim serve`, and requests to it."""

import json
import subprocess
import urllib.error
import urllib.parse
import urllib.request

from support import SKYSIM

CURVES = "/cgi-bin/ZTF/nph_light_curves"


class Server:
    """`with Server(sky, "--faults", ...) as server:`; stopped at the end."""

    def __init__(self, sky, *options, program=SKYSIM):
        self.args = [str(program), "serve", str(sky), *map(str, options)]

    def __enter__(self):
        self.process = subprocess.Popen(self.args, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        assert line.startswith("listening on "), line
        self.url = line.split()[-1]
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.code = self.process.wait(timeout=300)
        self.process.stdout.close()

    def get(self, path, timeout=120, data=None, method=None, headers=None):
        """Status, headers, body."""
        request = urllib.request.Request(self.url + path, data=data, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=timeout) as answer:
                return answer.status, answer.headers, answer.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read()

    def curves(self, timeout=120, **parameters):
        query = urllib.parse.urlencode(parameters, doseq=True)
        status, headers, body = self.get(f"{CURVES}?{query}", timeout)
        return status, headers, body.decode("latin-1")

    def rows(self, **parameters):
        """Of a CSV answer."""
        status, _, body = self.curves(FORMAT="CSV", **parameters)
        assert status == 200, body
        lines = body.splitlines()
        names = lines[0].split(",")
        return [dict(zip(names, line.split(","))) for line in lines[1:]]

    def status(self):
        return json.loads(self.get("/status")[2])
