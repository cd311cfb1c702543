"""What tests of the report share: a small run of the quickstart's chain, and the parts of a page."""

import html
import json
import pathlib
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

TESTS = pathlib.Path(__file__).resolve().parents[1]
sys.path += [str(TESTS / "support"), str(TESTS / "skysim")]
from chains import QSOHOST, ROOT, SKYSIM, ChainTest, read_table  # noqa: E402, F401
from server import Server  # noqa: E402

CHAIN = ROOT / "examples/sdss-gaia-ztf-local.toml"


def make_run(folder, sources=60, seed=4, *options):
    """A finished run of the chain of the quickstart in `folder`/run, on a sky in `folder`/sky."""
    sky = folder / "sky"
    if not sky.exists():
        subprocess.run([SKYSIM, "make", sky, "--sources", str(sources), "--seed", str(seed)],
                       check=True, capture_output=True)  # fmt: skip
    with Server(sky) as server:
        subprocess.run(
            [QSOHOST, "--chain", CHAIN, "--set", f"ztf.url={server.url}", "--run-dir", "run",
             *options],
            check=True, capture_output=True, cwd=folder,
            env={"QSOHOST_SKY": str(sky), "PATH": "/usr/bin:/bin"},
        )  # fmt: skip
    return folder / "run"


class Page:
    def __init__(self, path):
        self.path = path
        self.text = path.read_text()  # strict: it must be UTF-8

    def sections(self):
        return re.findall(r'<section id="([^"]+)">', self.text)

    def section(self, name):
        return re.search(rf'<section id="{name}">.*?</section>', self.text, re.S).group()

    def figures(self):
        """id -> (parsed SVG, CSV)"""
        out = {}
        for figure in re.findall(r"<figure.*?</figure>", self.text, re.S):
            name = re.search(r'id="figure-([^"]+)"', figure).group(1)
            svg = re.search(r"<svg.*</svg>", figure, re.S).group()
            data = re.search(r'class="data">(.*?)</script>', figure, re.S)
            out[name] = ElementTree.fromstring(svg), data and json.loads(data.group(1))
        return out

    def tables(self):
        """title -> rows of texts, the names first"""
        out = {}
        for table in re.findall(r'<div class="table.*?</table>', self.text, re.S):
            title = re.search(r"<(?:h3|summary)>(.*?)</(?:h3|summary)>", table, re.S).group(1)
            rows = re.findall(r"<tr>(.*?)</tr>", table, re.S)
            cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.S) for row in rows]
            out[html.unescape(title)] = [[html.unescape(cell) for cell in row] for row in cells]
        return out

    def column(self, table, name):
        names, *rows = self.tables()[table]
        return [row[names.index(name)] for row in rows]
