"""The program's words about each mistake of cases.py and run_cases.py have four parts: what is wrong, where,
what is expected, and what to do."""

import pathlib
import re
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from cases import chain_files, command_line, options  # noqa: E402
from chains import ChainTest  # noqa: E402
from inputs import CATALOG, curves  # noqa: E402
from run_cases import running, tables  # noqa: E402

PARTS = ("what", "where", "expected", "to_do")
# Words of libraries that say nothing to who reads them.
BARE = re.compile(r"std::|what\(\):|basic_string|bad_alloc|terminate called|errno|Traceback|\bfmt::")


class Provoked(ChainTest):
    def test_what_the_program_says(self):
        cases = [*command_line(), *chain_files(), *options(), *tables(), *running()]
        self.assertGreaterEqual(len(cases), 60)
        self.assertEqual(len({case.name for case in cases}), len(cases))
        for number, case in enumerate(cases):
            with self.subTest(case.name):
                said = self.provoke(case, f"case-{number}")
                lacking = [part for part in PARTS if not re.search(getattr(case, part), said)]
                self.assertFalse(lacking, said)
                self.assertNotRegex(said, BARE)

    def provoke(self, case, name):
        folder, top = self.folder / name, self.folder
        folder.mkdir()
        files = {"cat.csv": CATALOG, "lc.fits": curves(), **case.files}
        if case.chain is not None:
            files["chain.toml"] = case.chain
        for file, content in files.items():
            path = folder / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.folder = folder
        try:
            chain = () if case.chain is None else ("--chain", "chain.toml")
            args = () if case.chain is None and case.args == ("--check",) else case.args
            done = self.qsohost(*chain, *args, expect=case.exit_code)
        finally:
            self.folder = top
        return done.stdout + done.stderr


if __name__ == "__main__":
    unittest.main()
