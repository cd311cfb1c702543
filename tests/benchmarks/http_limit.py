"""The adaptive limit of connections against fixed numbers of them, at an archive that collapses.

    python3 tests/benchmarks/http_limit.py BUILD_FOLDER [--objects 3000] [--time-scale 100]
                                           [--faults all=0.05] [--seconds 15]

Both ask `skysim serve --throttle irsa`, each a server of its own, whose time runs so many times
faster than the real service's. The fixed numbers are asked by plain threads, each with a connection
kept alive, that ask again at once whatever went wrong, for so many seconds; qsohost asks for every
object, with no cap given. Prints good answers a second, and qsohost's by those of the best.
"""

import argparse
import http.client
import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

from astropy.io import fits

LEVELS = (1, 2, 4, 6, 7, 8, 9, 10, 12, 16, 24, 32)
HEAD = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)
PATH = "/cgi-bin/ZTF/nph_light_curves?FORMAT=CSV&ID="
CHAIN = """
[chain]
name = "http-limit"
plugins = ["{build}/tests/plugins/faux.so", "{build}/tests/plugins/echo-survey.so"]
batch_rows = 200
[[stage]]
use = "catalog-source"
path = "objects.csv"
[[stage]]
use = "echo-survey"
label = "echo"
url = "{url}{{id}}"
head = "{head}"
mjd_at = 3
mag_at = 4
confirmations = 3
timeout_ms = {timeout}
max_attempts = 20
[[stage]]
use = "faux-sink"
last = true
"""


class Server:
    def __init__(self, args, sky):
        command = [f"{args.build}/bin/skysim", "serve", str(sky), "--throttle", "irsa"]
        command += ["--time-scale", str(args.time_scale)]
        if args.faults:
            command += ["--faults", args.faults]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]

    def status(self):
        with urllib.request.urlopen(self.url + "/status") as answer:
            return json.load(answer)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def ask_fixed(args, sky, oids, level):
    """Good answers a second of so many threads."""
    todo = iter(oids * 100)
    lock = threading.Lock()
    good = 0
    with Server(args, sky) as server:
        end = time.monotonic() + args.seconds

        def work():
            nonlocal good
            host = server.url.removeprefix("http://")
            timeout = 120 / args.time_scale
            connection = http.client.HTTPConnection(host, timeout=timeout)
            while True:
                with lock:
                    oid = next(todo)
                done = False
                while not done:
                    if time.monotonic() > end:
                        return
                    try:
                        connection.request("GET", PATH + str(oid))
                        answer = connection.getresponse()
                        body = answer.read()
                        done = answer.status == 200 and body.startswith(HEAD.encode())
                        done = done and body.endswith(b"\n") and body.count(b"\n") > 1
                    except (OSError, http.client.HTTPException):
                        connection.close()
                        connection = http.client.HTTPConnection(host, timeout=timeout)
                with lock:
                    good += 1

        threads = [threading.Thread(target=work) for _ in range(level)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    return good / args.seconds


def ask_adaptive(args, sky, oids, folder):
    (folder / "objects.csv").write_text(
        "source_id,ra,dec\n" + "".join(f"{oid},10,20\n" for oid in oids)
    )
    with Server(args, sky) as server:
        chain = folder / "chain.toml"
        chain.write_text(
            CHAIN.format(
                build=args.build,
                url=server.url + PATH,
                head=HEAD,
                timeout=round(120_000 / args.time_scale),
            )
        )
        begin = time.monotonic()
        done = subprocess.run(
            [f"{args.build}/bin/qsohost", "--chain", chain, "--run-dir", folder / "run"],
            capture_output=True, text=True, cwd=folder,
        )  # fmt: skip
        seconds = time.monotonic() - begin
        status = server.status()
    print(done.stdout if args.verbose or done.returncode else "", done.stderr[-2000:])
    rows = [line for line in done.stdout.splitlines() if "at most" in line]
    print(f"qsohost: exit {done.returncode}, {len(oids)} objects in {seconds:.1f} s")
    print("\n".join(rows), "; server:", {k: v for k, v in status.items() if k != "jobs"})
    return len(oids) / seconds


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("build", type=lambda text: pathlib.Path(text).resolve())
    parser.add_argument("--objects", type=int, default=3000)
    parser.add_argument("--time-scale", type=float, default=100)
    parser.add_argument("--faults", default="")
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--levels", type=int, nargs="*", default=LEVELS)
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="http-limit-") as name:
        folder = pathlib.Path(name)
        sources = str(max(50, args.objects // 3))
        subprocess.run(
            [f"{args.build}/bin/skysim", "make", folder / "sky", "--sources", sources],
            check=True, stdout=subprocess.DEVNULL,
        )  # fmt: skip
        with fits.open(folder / "sky/ztf_objects.fits") as file:
            oids = [int(oid) for oid in file[1].data["oid"][: args.objects]]
        adaptive = ask_adaptive(args, folder / "sky", oids, folder)
        fixed = {}
        for level in args.levels:
            fixed[level] = ask_fixed(args, folder / "sky", oids, level)
            print(f"{level:3} connections: {fixed[level]:7.2f} good answers a second", flush=True)
    best = max(fixed, key=fixed.get, default=0)
    ratio = adaptive / fixed[best] if best else float("nan")
    print(f"adaptive:        {adaptive:7.2f}, {ratio:.2f} of the best ({best} connections)")
    return 0


if __name__ == "__main__":
    sys.exit(main())
