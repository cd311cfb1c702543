#!/usr/bin/env python3
"""Each plugin exports one strong symbol, its table, and carries its note.

  exports.py FOLDER...     looks at every *.so in these folders

What else a plugin shows is weak or unique: templates and inline functions of the standard library
and of the framework's exported classes, whose first copy in the process serves all (that is what
keeps their static variables and type names one). Anything else that is weak is the plugin's own
code and could be taken for another plugin's: an error, as a second strong symbol is.

A plugin that asks for nothing but libqsohost gets none of the libraries that only others need.
"""

import pathlib
import re
import subprocess
import sys

# Demangled: `std::vector<...>::f()`, `typeinfo for ...`, `bool std::operator==<...>`, and so on.
SHARED = re.compile(
    r"(^|[ :(<*&,])(std|__gnu_cxx|qsohost|fmt|ceres|Eigen|boost|pqxx|hwy|pugi)::|^operator (new|delete)"
)


NOT_OF_THE_CORE = re.compile(r"lib(cfitsio|expat|pugixml|ceres|pq|pqxx|qsohost-io)\b[^ ]*")


def run(*command):
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def look_at(plugin):
    problems, counts = [], {}
    for line in run("nm", "-D", "--defined-only", "-C", str(plugin)).splitlines():
        _, kind, name = line.split(maxsplit=2)
        counts[kind] = counts.get(kind, 0) + 1
        if kind in "VvWwu":
            if not SHARED.search(name):
                problems.append(f"{plugin.name}: shows its own code to others: {name}")
        elif name != "qsohost_plugin":
            problems.append(f"{plugin.name}: a second strong symbol: {kind} {name}")
    if "qsohost_plugin" not in run("nm", "-D", "--defined-only", str(plugin)):
        problems.append(f"{plugin.name}: no symbol qsohost_plugin")
    if ".qsohost" not in run("readelf", "-SW", str(plugin)):
        problems.append(f"{plugin.name}: no section .qsohost, which would hold its note")
    if not NOT_OF_THE_CORE.search(run("readelf", "-dW", str(plugin))):
        for match in NOT_OF_THE_CORE.finditer(run("ldd", str(plugin))):
            problems.append(f"{plugin.name}: libqsohost brings {match[0]} along")
    weak = sum(counts.get(k, 0) for k in "VvWw")
    unique = counts.get("u", 0)
    strong = sum(counts.values()) - weak - unique
    print(f"{plugin.name:<24} strong {strong}  weak {weak:<4} unique {unique}")
    return problems


def main():
    plugins = sorted(p for folder in sys.argv[1:] for p in pathlib.Path(folder).glob("*.so"))
    problems = [p for plugin in plugins for p in look_at(plugin)]
    if not plugins:
        problems.append(f"no plugins in {' '.join(sys.argv[1:])}")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
