"""The program's words about each mistake of cases.py and run_cases.py have four parts: what is wrong,
where, what is expected, and what to do."""

import concurrent.futures
import pathlib
import re
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from cases import chain_files, command_line, options  # noqa: E402
from chains import PATIENCE, QSOHOST, ChainTest  # noqa: E402
from inputs import CATALOG, curves  # noqa: E402
from run_cases import running, tables  # noqa: E402

PARTS = ("what", "where", "expected", "to_do")
# Words of libraries that say nothing to who reads them.
BARE = re.compile(r"std::|what\(\):|basic_string|bad_alloc|terminate called|errno|Traceback|\bfmt::")


def provoke(case, folder):
    """What the program says, and its exit code."""
    files = {"cat.csv": CATALOG, "lc.fits": curves(), **case.files}
    if case.chain is not None:
        files["chain.toml"] = case.chain
    for file, content in files.items():
        path = folder / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    chain = () if case.chain is None else ("--chain", "chain.toml")
    done = subprocess.run(
        [QSOHOST, *chain, *case.args], capture_output=True, text=True, cwd=folder, timeout=PATIENCE
    )
    return done.stdout + done.stderr, done.returncode


class Provoked(ChainTest):
    def test_what_the_program_says(self):
        cases = [*command_line(), *chain_files(), *options(), *tables(), *running()]
        self.assertGreaterEqual(len(cases), 60)
        folders = [self.folder / str(number) for number in range(len(cases))]
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(provoke, cases, folders))
        for case, (said, exit_code) in zip(cases, answers, strict=True):
            with self.subTest(case.name):
                self.assertEqual(exit_code, case.exit_code, said)
                lacking = [part for part in PARTS if not re.search(getattr(case, part), said)]
                self.assertFalse(lacking, said)
                self.assertNotRegex(said, BARE)


if __name__ == "__main__":
    unittest.main()
