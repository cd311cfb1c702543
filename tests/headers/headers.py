#!/usr/bin/env python3
"""Compiles each public header alone, with both compilers, and shows what that costs.

Fails when one does not compile, or shows an author a library that is none of theirs. Times are
reported only: they are the machine's as much as the header's. (Goal: under 2 s each.)
"""

import os
import pathlib
import re
import resource
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = ROOT / "framework/include"
COMPILERS = os.environ.get("QSOHOST_COMPILERS", "g++ clang++-16").split()
FLAGS = ["-std=c++20", "-fsyntax-only", "-Wall", "-Wextra", "-Wpedantic", "-Werror", f"-I{INCLUDE}"]
FORBIDDEN = re.compile(
    r"/(boost|ceres|tbb|oneapi|toml\+\+|curl|pqxx|eigen3|Eigen|CLI|fmt|hwy|nlohmann|pugi\w*|catch2)/"
    r"|/(fitsio\w*|toml|libpq-fe|pugi\w*|sqlite3|zlib|httplib)\.h(pp)?$"
)


def cpu_seconds():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def look_at(header, compiler, folder):
    """CPU seconds, and what is wrong."""
    (folder / "one.cpp").write_text(f"#include <qsohost/{header}>\n")
    begin = cpu_seconds()
    done = subprocess.run(
        [compiler, *FLAGS, "-H", "one.cpp"], cwd=folder, capture_output=True, text=True
    )
    seconds = cpu_seconds() - begin
    # -H lists what is opened; -MD of clang lists what __has_include() finds, too.
    included = re.findall(r"^\.+ (.*)$", done.stderr, re.M)
    if done.returncode != 0:
        words = re.sub(r"^\.+ .*\n", "", done.stderr, flags=re.M)
        return seconds, [f"{header} does not compile alone with {compiler}:\n{words}"]
    # Our own are good whatever the folder of the project is called.
    others = [path for path in included if not path.startswith(f"{INCLUDE}/")]
    found = [path for path in others if FORBIDDEN.search(path)]
    return seconds, [f"{header} includes {path}" for path in found]


def main():
    headers = sorted(str(p.relative_to(INCLUDE / "qsohost")) for p in (INCLUDE / "qsohost").rglob("*.hpp"))
    problems = []
    print(f"{'CPU seconds':<24}" + "".join(f"{c:>12}" for c in COMPILERS))
    with tempfile.TemporaryDirectory() as folder:
        for header in headers:
            times = []
            for compiler in COMPILERS:
                seconds, wrong = look_at(header, compiler, pathlib.Path(folder))
                times.append(seconds)
                problems += wrong
            print(f"{header:<24}" + "".join(f"{t:12.2f}" for t in times))
    if not headers:
        problems.append(f"no headers in {INCLUDE}")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
