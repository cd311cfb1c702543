#!/usr/bin/env python3
"""The layers of the framework: which folder may include which. The list below is the picture in
framework/ARCHITECTURE.md; an include that is not in it is an error, and so is a circle.

  tests/layers.py [ROOT]      ROOT: another tree than this one
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else __file__).resolve()
ROOT = ROOT if ROOT.is_dir() else ROOT.parents[1]

# Of each folder of framework/src: those that it includes, besides itself. From the ground up.
LAYERS = {
    "base": "",
    "data": "base",
    "http": "base data",
    "files": "base data",
    "text": "base data files",
    "fits": "base data files",
    "votable": "base data files text",
    "table": "base data http files text fits votable",
    "match": "base data files text table",
    "postgres": "base data",
    "plugin": "base data http",
    "chain": "base data plugin",
    "run": "base data http plugin chain",
    "testing": "base data http plugin chain",
}

# The folder that implements a public header.
PUBLIC = {
    "base": "api error host/printable names system_reason",
    "data": "batch column context light_curve light_curve_fitter object_path option ou_prediction port source_row sphere stage time_converter time_system",
    "files": "io/cells io/input_table io/zip",
    "text": "io/text",
    "fits": "io/fits",
    "table": "io/catalog_columns io/fits_epochs io/grouped_rows io/identifiers io/input_columns io/tap_tables io/units",
    "match": "io/crossmatch io/crossmatch_tables",
    "postgres": "postgres",
    "http": "adql examination host/fetch_progress http http_options own_client tap",
    "plugin": "plugin script_reader host/loader",
    "chain": "host/chain host/stage_progress",
    "run": "host/check_with_source host/examine host/open_fitter host/run",
    "testing": "testing",
}
FOLDER_OF = {f"qsohost/{h}.hpp": folder for folder, headers in PUBLIC.items() for h in headers.split()}

# What libqsohost consists of; nothing in it includes the other libraries.
CORE = {"base", "data", "http", "plugin", "chain", "run", "testing"}


def files():
    """Each file of the framework with its folder."""
    for path in sorted((ROOT / "framework/src").glob("*/*")):
        yield path, path.parent.name
    for path in sorted((ROOT / "framework/include").rglob("*.hpp")):
        yield path, FOLDER_OF.get(str(path.relative_to(ROOT / "framework/include")))


def included(path):
    """Folder and name of all of ours that a file includes, with the line."""
    for number, line in enumerate(path.read_text().splitlines(), 1):
        match = re.match(r'#include ["<]([\w/]+\.hpp)[">]', line)
        if not match:
            continue
        folder = FOLDER_OF.get(match[1], match[1].split("/")[0])
        if folder in LAYERS or folder == "qsohost":
            yield number, match[1], folder


def look_at_framework():
    for path, folder in files():
        where = path.relative_to(ROOT)
        if folder not in LAYERS:
            yield f"{where}: in no layer; tests/layers.py lists folders and public headers"
            continue
        allowed = {folder, *LAYERS[folder].split()}
        for number, name, other in included(path):
            if other not in allowed:
                yield f"{where}:{number}: {folder} may not include {other} ({name})"


def look_at_plugins():
    """Plugins know the framework's headers for authors, and no other plugin; hosts know no plugin."""
    for path in sorted((ROOT / "plugins").rglob("*.[ch]pp")) + sorted((ROOT / "hosts").rglob("*.[ch]pp")):
        where = path.relative_to(ROOT)
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = re.match(r'#include ["<]([\w./-]+)[">]', line)
            if not match:
                continue
            if where.parts[0] == "plugins" and "tests" not in where.parts and match[1].startswith("qsohost/host/"):
                yield f"{where}:{number}: {match[1]} is for hosts"
            if where.parts[1] == "gaia-quality" and match[1] == "../gaia-epoch/bands.hpp":
                continue  # two stages of one survey: its bands and flags are written down once
            for plugin in (ROOT / "plugins").iterdir():
                if plugin.name in match[1].split("/")[:-1] and plugin.name != where.parts[1]:
                    yield f"{where}:{number}: {match[1]} is another plugin's"


def circles():
    """The list itself: a folder includes only those above it in the list."""
    seen = set()
    for folder, others in LAYERS.items():
        for other in others.split():
            if other not in seen:
                yield f"tests/layers.py: {folder} includes {other}, which stands below it"
        seen.add(folder)
    for folder in CORE:
        for other in set(LAYERS[folder].split()) - CORE:
            yield f"tests/layers.py: {folder} of libqsohost includes {other}, which is none of it"


def picture():
    """The list must be what the architecture page shows."""
    page = (ROOT / "framework/ARCHITECTURE.md").read_text()
    for folder, others in LAYERS.items():
        line = f"    {folder:<9}-> {others}".rstrip()
        if line not in page.splitlines():
            yield f"framework/ARCHITECTURE.md: the picture of the layers lacks the line '{line}'"


def main():
    problems = [*circles(), *picture(), *look_at_framework(), *look_at_plugins()]
    print(f"{sum(len(v.split()) for v in LAYERS.values())} arrows between {len(LAYERS)} folders")
    sys.exit("\n".join(problems) or 0)


if __name__ == "__main__":
    main()
