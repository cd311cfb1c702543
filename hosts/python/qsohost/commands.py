"""Commands of the program as functions: the same library does the work."""

import json
import os
from pathlib import Path
from typing import NamedTuple

from . import _core
from .toml_text import toml_of

_DONE, _USAGE, _UNSETTLED = 0, 2, 3


def output_of(words: list[str]) -> str:
    """What the command `qsohost WORDS...` prints. Raises UsageError or RunError with its message."""
    code, out, messages = _core.command(words)
    if code in (_DONE, _UNSETTLED):
        return out
    text = messages.strip().removeprefix("qsohost: ")
    raise (_core.UsageError if code == _USAGE else _core.RunError)(text)


def _arguments_of(options: dict) -> list[str]:
    """keep_all=True -> --keep-all, limit=5 -> --limit 5, bands=["g", "r"] -> --bands g --bands r."""
    words = []
    for name, value in options.items():
        option = "--" + name.rstrip("_").replace("_", "-")
        if value is None or value is False:
            continue
        for entry in value if isinstance(value, (list, tuple)) else [value]:
            words += [option] if entry is True else [option, str(entry)]
    return words


class Comparison(NamedTuple):
    """text: the summary, as the command prints it; file: a table with a row for each object, light
    curve and fitter, to be read with read_table()."""

    text: str
    file: str

    def __repr__(self) -> str:
        return self.text


def compare(
    chain: str | os.PathLike,
    fitters: list[str],
    *,
    out: str | os.PathLike,
    label: str | None = None,
    set: dict | None = None,  # noqa: A002  (as the command calls it)
    **options,
) -> Comparison:
    """Several fitters on the same light curves: `qsohost compare`.

    chain: a chain file. out: the table, .fits or .csv. label: of the fitter whose place they take.
    set: options, {"loo.mean": "profiled"}. options: limit, threads, leave_out_flagged, plugin, ...
    """
    words = ["compare", "--chain", os.fspath(chain), "--fitters", ",".join(fitters), "--out", os.fspath(out)]
    for name, value in (set or {}).items():
        words += ["--set", f"{name}={toml_of(value)}"]
    text = output_of(words + _arguments_of({"label": label, "log_level": "warning"} | options))
    return Comparison(text, os.fspath(out))


def relate(run, *, json_file: str | os.PathLike | None = None, **options) -> dict:
    """How results depend on properties of the objects: `qsohost relate`; returns its numbers.

    run: a Run or a folder. options: those of the command, `limit=5` for --limit 5.
    json_file: where the numbers are kept as JSON too.
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        file = os.fspath(json_file) if json_file else os.path.join(folder, "relate.json")
        output_of(["relate", _folder_of(run), "--json", file] + _arguments_of(options))
        return json.loads(Path(file).read_text())


def report(run, *, out: str | os.PathLike, **options) -> str:
    """The report page of a run, one HTML file: `qsohost report`; returns its path."""
    output_of(["report", _folder_of(run), "--out", os.fspath(out)] + _arguments_of(options))
    return os.fspath(out)


def _folder_of(run) -> str:
    return getattr(run, "run_dir", None) or os.fspath(run)
