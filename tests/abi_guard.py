#!/usr/bin/env python3
"""Guards the boundary between host and plugins: whoever changes it raises QSOHOST_API_NUMBER.

  tests/abi_guard.py           fails when the headers say something else than framework/abi.txt
  tests/abi_guard.py --fix     records the headers as they are, once the number is raised
  tests/abi_guard.py --raise   raises the number, if that is needed, and records
  tests/abi_guard.py --show    the members and virtual functions of every class, to be compared

framework/abi.txt holds the history, a line for each API number with its layout hash (what plugins
carry in their notes), and for the last one a hash of each class: members with their offsets, bases,
and virtual functions in their order. The latter sees what sizes cannot: two members that changed
places, or a new virtual function. A class that is new breaks no plugin; it is only recorded.

Classes are looked at by clang, and only those that <qsohost/plugin.hpp> shows to authors.
"""

import argparse
import hashlib
import os
import pathlib
import re
import subprocess
import sys
import tempfile

CLANG = os.environ.get("QSOHOST_CLANG", "clang++-16")
HEAD = """\
# The boundary between host and plugins, written by tests/abi_guard.py; do not edit.
# After a merge that conflicts here, take the version of the branch that is there already, then
# run `tests/abi_guard.py --raise`.
"""

# Deletes an object of each class, so that clang lays out its virtual functions; the numbers are read
# from the code that it makes.
PROBE = """\
#include <qsohost/plugin.hpp>
extern "C" {{
extern const unsigned long long probe_api, probe_layout;
const unsigned long long probe_api = QSOHOST_API_NUMBER;
const unsigned long long probe_layout = qsohost::layout_hash();
}}
namespace qsohost {{
template <class T> unsigned long look(T* p) {{
  if constexpr (std::is_polymorphic_v<T>) delete p;
  return sizeof(T);
}}
template <class... T> void look_at() {{ (look(static_cast<T*>(nullptr)), ...); }}
template void look_at<{classes}>();
}}
"""


def read_by_clang(include, source):
    """Clang's dump of classes, and its code."""
    with tempfile.TemporaryDirectory() as folder:
        code = pathlib.Path(folder) / "probe.ll"
        command = [
            CLANG, "-std=c++20", f"-I{include}", "-x", "c++", "-S", "-emit-llvm", "-o", code, "-",
            "-Xclang", "-fdump-vtable-layouts", "-Xclang", "-fdump-record-layouts",
        ]  # fmt: skip
        done = subprocess.run(command, input=source, capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"abi_guard: the headers do not compile\n{done.stderr}")
        return done.stdout, code.read_text()


def headers_of_plugins(include, name="qsohost/plugin.hpp"):
    """Names of plugin.hpp and of all that it includes."""
    found = {name}
    for other in re.findall(r'#include "(qsohost/\S+)"', (include / name).read_text()):
        found |= headers_of_plugins(include, other)
    return found


def class_names(include):
    """Of all that is defined at namespace level; of the templates one stands for the rest."""
    names = {"Option<double>"}
    for header in headers_of_plugins(include):
        for match in re.finditer(
            r"^(template <.*>\n)?(?:class|struct) (?:QSOHOST_API )?([\w:]+)(?: final)?(?: :[^{;]*)? {",
            (include / header).read_text(), re.M,
        ):  # fmt: skip
            if not match[1]:
                names.add(match[2])
    return sorted(names)


def class_of(block):
    """The class that a block of clang's dump is about, or none."""
    record = re.match(r"\*\*\* Dumping.*\n *0 \| (?:class|struct) (qsohost::.*?)(?: \(empty\))?\n", block)
    table = re.match(r"Vtable for '(qsohost::[^']*)'", block)
    name = record[1] if record else table[1] if table else None
    return None if name and "<" in name and name != "qsohost::Option<double>" else name


def classes_in(dump):
    """What each class is made of, as text."""
    found = {}
    for block in re.split(r"\n\n|\n(?=\*\*\* Dumping)", dump):
        name = class_of(block + "\n")
        if name is None:
            continue
        lines = [line.rstrip() for line in block.split("\n")[1:]]
        if block.startswith("***"):
            # Its own members, not what is inside them: that is another class's, or the library's.
            lines = [x for x in lines if re.match(r" *[\d:-]+ \|   \S| *\| ", x)]
        found[name] = found.get(name, []) + lines
    return {name: "\n".join(lines) for name, lines in sorted(found.items())}


def look_at(include):
    """API number, layout hash, and the text of each class."""
    names = class_names(include)
    dump, code = read_by_clang(include, PROBE.format(classes=", ".join(names)))
    api, layout = (
        int(re.search(rf"@probe_{name} = .*constant i64 (-?\d+)", code)[1]) % 2**64
        for name in ("api", "layout")
    )
    classes = classes_in(dump)
    missing = {"qsohost::" + n for n in names} - set(classes)
    if missing:
        sys.exit(f"abi_guard: clang says nothing of {', '.join(sorted(missing))}")
    return api, f"{layout:016x}", classes


class Boundary:
    """An API number with its layout hash and the hashes of the classes."""

    def __init__(self, number, layout, classes):
        self.number, self.layout, self.classes = number, layout, classes

    @staticmethod
    def of_headers(include):
        number, layout, texts = look_at(include)
        classes = {name: hashlib.sha256(t.encode()).hexdigest()[:16] for name, t in texts.items()}
        return Boundary(number, layout, classes)

    def differences(self, old):
        """What a plugin built against `old` would not survive."""
        out = []
        for name, text in old.classes.items():
            if name not in self.classes:
                out.append(f"{name} is gone")
            elif self.classes[name] != text:
                out.append(f"{name} has other members, bases or virtual functions")
        if self.layout != old.layout:
            out.append(f"the layout hash is {self.layout}, and was {old.layout}")
        return out


def read_history(path):
    history, classes = [], {}
    for i, line in enumerate(path.read_text().splitlines(), 1):
        words = line.split()
        if line.startswith("#") or not words:
            continue
        if words[0] == "api" and len(words) == 3:
            history.append((int(words[1]), words[2]))
        elif words[0] == "class" and len(words) == 3:
            classes[words[1]] = words[2]
        else:
            sys.exit(f"abi_guard: {path}:{i}: '{line}' belongs not here; after a merge, take the file "
                     "of the branch that is there already and run tests/abi_guard.py --raise")  # fmt: skip
    return history, Boundary(*history[-1], classes)


def write_history(path, history, now):
    if now.number > history[-1][0]:
        history = [*history, (now.number, now.layout)]
    lines = [f"api {number} {layout}" for number, layout in history]
    lines += [f"class {name} {text}" for name, text in sorted(now.classes.items())]
    path.write_text(HEAD + "\n".join(lines) + "\n")
    print(f"abi_guard: API number {now.number}, layout {now.layout}, recorded in {path.name}")


def raise_number(include, number):
    path = include / "qsohost/api.hpp"
    text = re.sub(r"(#define QSOHOST_API_NUMBER) \d+", rf"\1 {number}", path.read_text())
    path.write_text(text)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--fix", action="store_true")
    parser.add_argument("--raise", action="store_true", dest="raises")
    parser.add_argument("--show", action="store_true")
    root = pathlib.Path(__file__).resolve().parents[1]
    parser.add_argument("--framework", type=pathlib.Path, default=root / "framework")
    options = parser.parse_args()
    include, file = options.framework / "include", options.framework / "abi.txt"

    if options.show:
        for name, text in look_at(include)[2].items():
            print(f"{name}\n{text}\n")
        return
    history, old = read_history(file)
    now = Boundary.of_headers(include)
    broken = now.differences(old)
    if options.raises and broken and now.number <= old.number:
        raise_number(include, old.number + 1)
        now.number = old.number + 1
    if now.number < old.number:
        sys.exit(f"abi_guard: QSOHOST_API_NUMBER is {now.number}, but was {old.number} already")
    if broken and now.number == old.number:
        sys.exit(
            "abi_guard: plugins built against the headers of API number "
            f"{old.number} would not work with these:\n  " + "\n  ".join(broken) +
            "\n  Take the change back, or run `tests/abi_guard.py --raise`, which raises "
            "QSOHOST_API_NUMBER (framework/include/qsohost/api.hpp) and records it."
        )  # fmt: skip
    if options.fix or options.raises:
        write_history(file, history, now)
    elif now.number != old.number or now.classes != old.classes:
        sys.exit("abi_guard: framework/abi.txt is behind the headers; run `tests/abi_guard.py --fix`")


if __name__ == "__main__":
    main()
