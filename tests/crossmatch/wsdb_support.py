"""What tests of wsdb-crossmatch share: a database with a simulated sky, and a line to it that can
break."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests/support"))
import chains  # noqa: E402
import postgres  # noqa: E402
from chains import PATIENCE, QSOHOST, SKYSIM, ChainTest, interrupt, wait_until  # noqa: E402, F401
from proxy import Proxy  # noqa: E402, F401  (for the tests)

CHAIN = """
[chain]
name = "match"
batch_rows = {batch_rows}
[[stage]]
use = "{use}"
label = "match"
{options}
[[stage]]
use = "fits-sink"
what = "catalog"
"""

needs_postgres = unittest.skipUnless(
    postgres.programs() and postgres.has_q3c(), "no PostgreSQL with q3c here"
)


def read_table(path):
    return chains.read_table(path)[0]


def toml(value):
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    return str(value)


class InDatabase(ChainTest):
    """A server for the whole class, and a folder for each test."""

    WHERE = ""

    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(postgres.Postgres())

    def dsn(self, **changes):
        facts = dict(f.split("=") for f in self.server.dsn.split()) | changes
        return " ".join(f"{k}={v}" for k, v in facts.items())

    def chain(self, use="wsdb-crossmatch", batch_rows=500, **options):
        if use == "wsdb-crossmatch":
            options.setdefault("dsn", self.server.dsn)
        options.setdefault("where", self.WHERE)
        lines = "\n".join(f"{name} = {toml(value)}" for name, value in options.items())
        path = self.folder / "chain.toml"
        path.write_text(CHAIN.format(use=use, options=lines, batch_rows=batch_rows))
        return path

    def start(self, chain, *args, env=None):
        return subprocess.Popen(
            [QSOHOST, "--chain", chain, "--run-dir", self.folder / "run", *map(str, args)],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=self.folder,
            env={**postgres.Postgres.environment(), **(env or {})},
        )  # fmt: skip

    def run_chain(self, chain, *args, expect=0, env=None):
        """What it printed, standard error first."""
        process = self.start(chain, *args, env=env)
        out, err = process.communicate(timeout=600)
        self.assertEqual(process.returncode, expect, err + out)
        return err + out

    def match(self, **options):
        """The product of a run."""
        self.run_chain(self.chain(**options), "--restart")
        return read_table(self.folder / "run/match_catalog.fits")


class SkyInDatabase(InDatabase):
    """With a simulated sky in it, of which the quasars are matched."""

    SOURCES = 2000
    SEED = 11
    WHERE = "is_qso_final = 1"

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.sky = pathlib.Path(tempfile.mkdtemp(prefix="qso-sky-"))
        cls.addClassCleanup(shutil.rmtree, cls.sky, True)
        for args in (
            ("make", cls.sky, "--sources", cls.SOURCES, "--seed", cls.SEED, "--catalog-only"),
            ("load", cls.sky, "--dsn", cls.server.dsn),
        ):
            subprocess.run([SKYSIM, *map(str, args)], check=True, capture_output=True)
