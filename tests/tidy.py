#!/usr/bin/env python3
"""Runs clang-tidy over sources, those of a folder together.

    tests/tidy.py [FILE...]     all sources that build/compile_commands.json has, tests left out

Most of its time goes into what is included, which is the same for the files of a folder. So some of
them are made one source. Files with helpers of one name cannot be compiled together: most of these
are found by their text and kept apart; what still cannot be compiled is halved until it can.
.clang-tidy says which checks.
"""

import collections
import concurrent.futures
import json
import os
import pathlib
import re
import shlex
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
BUILD = ROOT / "build"
TOGETHER = 16
# Constants, types and functions at the beginning of a line; a function with its parameters.
HELPER = re.compile(
    r"^(?:constexpr|const) [^=;({]*?\b(k[A-Z]\w*)\b|^(?:struct|class) (\w+)|^[\w:<>,&* ]+ (\w+\([^;{)]*\)) (?:noexcept )?\{", re.M
)  # fmt: skip
# The database holds the flags of g++; clang need not know all of them.
TIDY = ["clang-tidy-16", "--quiet", r"--header-filter=/(framework|plugins|hosts|examples)/.*\.[ch]pp$",
        "--extra-arg=-Wno-unknown-warning-option", "-p"]  # fmt: skip


def is_linted(path):
    """Tests are left out: Catch2's macros alone would take longer than all the rest."""
    return path.is_relative_to(ROOT) and not (
        path.is_relative_to(BUILD) or "tests" in path.relative_to(ROOT).parts or path.name == "catch_main.cpp"
    )


def entries_of_sources():
    """Of the database; an entry for each source that the build compiles together with others."""
    for entry in json.loads((BUILD / "compile_commands.json").read_text()):
        path = pathlib.Path(entry["file"])
        if path.parent.name != "Unity":
            yield entry
            continue
        for source in re.findall(r'^#include "(.*)"', path.read_text(), re.M):
            yield entry | {"file": source, "command": entry["command"].replace(entry["file"], source)}


def groups(wanted):
    """Entries of the database, some of one folder at a time."""
    folders, seen = collections.defaultdict(list), set()
    for entry in entries_of_sources():
        path = pathlib.Path(entry["file"])
        if path in seen or not is_linted(path) or (wanted and path not in wanted):
            continue
        seen.add(path)
        folders[path.parent].append(entry)
    for entries in folders.values():
        yield from kept_apart(entries)


def kept_apart(entries):
    """The entries in groups, each without two helpers of one name."""
    groups = []
    for entry in entries:
        text = pathlib.Path(entry["file"]).read_text()
        helpers = {next(filter(None, found)) for found in HELPER.findall(text)}
        fits = (g for g in groups if len(g[0]) < TOGETHER and not g[1] & helpers)
        together, names = next(fits, ([], set()))
        if not together:
            groups.append((together, names))
        together.append(entry)
        names |= helpers
    return [together for together, _ in groups]


def arguments(entry, source):
    """The command of an entry, for another source, without the precompiled headers of g++."""
    words = [word for word in shlex.split(entry["command"]) if word != "-Winvalid-pch"]
    for option in "-o", "-include":
        if option in words:
            at = words.index(option)
            del words[at : at + 2]
    return [source if word == entry["file"] else word for word in words]


def tidy(entries):
    """What is wrong with them."""
    first = pathlib.Path(entries[0]["file"])
    name = "_".join([*first.relative_to(ROOT).parent.parts, first.stem])
    folder = BUILD / "tidy" / name
    folder.mkdir(parents=True, exist_ok=True)
    source = str(folder / f"{name}.cpp")
    pathlib.Path(source).write_text("".join(f'#include "{e["file"]}"  // NOLINT\n' for e in entries))
    database = [{"directory": entries[0]["directory"], "file": source,
                 "arguments": arguments(entries[0], source)}]  # fmt: skip
    (folder / "compile_commands.json").write_text(json.dumps(database))
    wrong = run(folder, source)
    if len(entries) == 1 or "[clang-diagnostic-error]" not in wrong:
        return wrong
    half = len(entries) // 2
    return tidy(entries[:half]) + tidy(entries[half:])


def run(database, source):
    done = subprocess.run([*TIDY, database, source], capture_output=True, text=True)
    return done.stdout + done.stderr if done.returncode else ""


def main():
    wanted = {pathlib.Path(name).resolve() for name in sys.argv[1:]}
    tasks = list(groups(wanted))
    with concurrent.futures.ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
        wrong = "".join(pool.map(tidy, sorted(tasks, key=len, reverse=True)))
    print(re.sub(r"^\d+ warnings? (and \d+ errors? )?generated.*\n", "", wrong, flags=re.M), end="")
    if wrong:
        sys.exit("lint: see above")
    print(f"clang-tidy: {sum(map(len, tasks))} sources, nothing to complain of")


if __name__ == "__main__":
    main()
