"""Runs: their state, how objects ended, and their products."""

import html
import json
import os
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from . import _core
from .commands import output_of
from .tables import Table, read_table


class ObjectStatus(NamedTuple):
    """How one object ended at one stage."""

    source_id: str
    stage: str
    outcome: str  # "matched", "not found", "failed", "bad object"
    attempts: int
    when: str  # UTC
    reason: str


class Outcomes:
    """How objects ended at each stage that says so."""

    _NAMES = ("matched", "not_found", "failed", "bad")

    def __init__(self, run_dir: str) -> None:
        self._run_dir = run_dir

    def summary(self) -> dict[str, dict[str, int]]:
        """Numbers of objects by stage and outcome."""
        stages = _status(self._run_dir)["stages"]
        counts = {s["stage"]: {name: s[name] for name in self._NAMES} for s in stages}
        return {stage: numbers for stage, numbers in counts.items() if any(numbers.values())}

    @property
    def matched(self) -> list[ObjectStatus]:
        return self._objects(_core.Outcome.MATCHED)

    @property
    def not_found(self) -> list[ObjectStatus]:
        """The archive answered: nothing there."""
        return self._objects(_core.Outcome.NOT_FOUND)

    @property
    def failed(self) -> list[ObjectStatus]:
        """No trustworthy answer; Chain.run(..., retry_failed=True) asks again."""
        return self._objects(_core.Outcome.FAILED)

    @property
    def bad(self) -> list[ObjectStatus]:
        """Could not be read, converted or fitted."""
        return self._objects(_core.Outcome.BAD)

    def _objects(self, outcome) -> list[ObjectStatus]:
        return [ObjectStatus(*line) for line in _core.objects_of(self._run_dir, outcome)]

    def __repr__(self) -> str:
        lines = [f"{stage}: " + ", ".join(f"{n} {name}" for name, n in numbers.items() if n)
                 for stage, numbers in self.summary().items()]
        return "<outcomes " + "; ".join(lines) + ">"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name.replace('_', ' ')}</th>" for name in ("stage", *self._NAMES))
        rows = "".join(
            f"<tr><td>{html.escape(stage)}</td>" + "".join(f"<td>{n}</td>" for n in numbers.values()) + "</tr>"
            for stage, numbers in self.summary().items()
        )
        return f"<table><tr>{head}</tr>{rows}</table>"


class Tables(Mapping):
    """The products of a run that are tables, by the name of the file without that of the chain
    ("loo_ztf_g"); also by EXTNAME ("loo.ztf.g") where only one has it. Read on each access."""

    def __init__(self, run_dir: str) -> None:
        self._run_dir = run_dir

    def _files(self) -> dict[str, str]:
        status = _status(self._run_dir)
        files = {}
        for file in status["products"]:
            name = os.path.basename(file).split(".")[0]
            files[name.removeprefix(status["chain"] + "_")] = file
        return files

    def __getitem__(self, name: str) -> Table:
        files = self._files()
        if name in files:
            return read_table(files[name])
        same = {key: file for key, file in files.items() if _extension_of(file) == name}
        if len(same) == 1:
            return read_table(*same.values())
        if same:
            raise KeyError(f"several products have the table '{name}'; name one of them: " + ", ".join(same))
        raise KeyError(f"no table '{name}'; there are: " + ", ".join(files))

    def __iter__(self) -> Iterator[str]:
        return iter(self._files())

    def __len__(self) -> int:
        return len(self._files())

    def __repr__(self) -> str:
        return "<tables " + ", ".join(self) + ">"


class Run:
    """A run in a folder, going on or ended."""

    def __init__(self, run_dir: str, report: dict | None = None) -> None:
        self.run_dir = run_dir
        self.report = report  # of Chain.run: end, notes, seconds, objects, products; else None
        self.status  # raises for a folder that holds no run

    @property
    def status(self) -> dict:
        """What `qsohost status --json` shows, now: chain, running, finished, objects, stages, ..."""
        return _status(self.run_dir)

    @property
    def outcomes(self) -> Outcomes:
        return Outcomes(self.run_dir)

    @property
    def tables(self) -> Tables:
        return Tables(self.run_dir)

    def __repr__(self) -> str:
        status = self.status
        state = "running" if status["running"] else "finished" if status["finished"] else "not finished"
        return f"<run {self.run_dir} of chain {status['chain']}: {state}, {status['objects']} objects>"

    def _repr_html_(self) -> str:
        return html.escape(repr(self)) + self.outcomes._repr_html_()


def open_run(run_dir: str | os.PathLike, report: dict | None = None) -> Run:
    """A run that exists. Raises UsageError for a folder that holds none."""
    return Run(os.fspath(run_dir), report)


def merge(
    run_dirs: Iterable[str | os.PathLike | Run],
    into: str | os.PathLike,
    *,
    partial: bool = False,
    plugins: Iterable[str | os.PathLike] = (),
) -> Run:
    """The products of the whole catalogue from those of its shards: `qsohost merge`.

    partial: the last shards may be missing. plugins: files of stages that are not found by
    themselves, such as scripts; objects of from_arrays() cannot be merged. Raises RunError or
    UsageError for shards that are not complete, do not belong together, leave a gap or overlap.
    """
    folders = [run.run_dir if isinstance(run, Run) else os.fspath(run) for run in run_dirs]
    words = ["merge", *folders, "--into", os.fspath(into)] + (["--partial"] if partial else [])
    for plugin in plugins:
        words += ["--plugin", os.fspath(plugin)]
    output_of(words)
    return open_run(into)


def _status(run_dir: str) -> dict:
    return json.loads(output_of(["status", run_dir, "--json"]))


def _extension_of(file: str) -> str:
    try:
        return _core.extension_of(file)
    except _core.RunError:  # no table
        return ""
