"""Chains of stages: reading, checking, running, streaming."""

import atexit
import html
import os
import weakref
from collections.abc import Callable, Iterator

from . import _core, progress as _progress
from ._core import Problem
from .run import Run, open_run
from .toml_text import toml_of

_streams: weakref.WeakSet = weakref.WeakSet()


class ChainError(_core.UsageError):
    """The chain cannot run. `problems` says why, each with file, line and column."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = problems
        super().__init__("\n".join(str(p) for p in problems))


class Batches:
    """The batches of a chain one after the other; to leave early, use `with` or `close()`."""

    def __init__(self, stream) -> None:
        self._stream = stream

    def __iter__(self) -> Iterator:
        return self

    def __next__(self):
        return next(self._stream)

    def __enter__(self):
        return self

    def __exit__(self, *_) -> None:
        self.close()

    def close(self) -> None:
        """Stops the run and waits for its end."""
        self._stream.close()


class Chain:
    """A chain from a file, or from a text with line breaks.

    source: what from_arrays() returned; the chain then has `use = "arrays"` as its first stage.
    plugins: plugin files besides those that the chain names.
    allow_insecure_plugins: load plugins, too, that others can change (file or folder).
    Relative paths in a text are resolved against the current directory.
    """

    def __init__(self, path_or_text: str | os.PathLike, source=None, plugins=(), allow_insecure_plugins=False) -> None:
        is_text = isinstance(path_or_text, str) and "\n" in path_or_text
        self._text = path_or_text if is_text else ""
        self._file = os.getcwd() if is_text else os.fspath(path_or_text)
        self._set: list[tuple[str, str]] = []
        self._swap: list[tuple[str, str]] = []
        self._plugins = [os.fspath(p) for p in plugins]
        self._allow_insecure_plugins = allow_insecure_plugins
        self._source = source

    def set(self, option: str, value) -> "Chain":
        """Sets an option, `set("ztf.radius_arcsec", 1.5)`, or one of [chain]; returns the chain."""
        self._set.append((option, toml_of(value)))
        return self

    def swap(self, label: str, stage: str) -> "Chain":
        """Puts another stage in the place of the one with this label; returns the chain."""
        self._swap.append((label, stage))
        return self

    def check(self) -> list[Problem]:
        """What is wrong, warnings included; [] if nothing is. Runs nothing."""
        return self._load([]).problems

    @property
    def stages(self) -> list[tuple[str, str, str]]:
        """Label, stage and role of each. Raises ChainError."""
        return self._loaded([]).stages

    def effective(self) -> list[str]:
        """The chain in force with all options, one line a fact, as products have it as provenance."""
        return self._loaded([]).effective()

    def run(
        self,
        run_dir: str | os.PathLike | None = None,
        progress: bool | Callable = True,
        *,
        resume: bool = False,
        retry_failed: bool = False,
        restart: bool = False,
        accept_changed_inputs: bool = False,
        skip: int = 0,
        limit: int | None = None,
        shard: tuple[int, int] | None = None,
        shard_by: str = "rows",
        fetch_only: bool = False,
        offline: bool = False,
        share_connections: str | os.PathLike | None = None,
        dry_run: bool = False,
        threads: int = 0,
        in_flight: int = 0,
        stall_timeout: float = 600,
        log_file: str | os.PathLike | None = None,
    ) -> Run | None:
        """Runs the chain in `run_dir` (default: <name>.run) and returns the run.

        progress: a bar, or a function of (done, total, done in this run, seconds, stage).
        resume, retry_failed, restart: as the options of the command; without them a folder that
        holds a run is refused. dry_run: no products; returns None.
        stall_timeout: seconds after which a stage that has not returned is named in the log (0:
        never). log_file: all messages are added to this file, too.
        shard: (k, n) for part k of n, from 0 to n - 1, by "rows" or by "hash" of the identifier;
        merge() joins them. fetch_only, offline, share_connections: as the options of the command.

        Ctrl-C finishes the batches in flight, a second one gives up what waits; then
        KeyboardInterrupt is raised, and resume=True continues. Raises ChainError, and RunError if
        the run fails. Objects that failed at an archive do not raise: see Run.outcomes.
        """
        loaded = self._loaded([])
        run_dir = loaded.name + ".run" if run_dir is None else os.fspath(run_dir)
        options = {
            "run_dir": run_dir,
            "start": _start_mode(resume, retry_failed, restart),
            "accept_changed_inputs": accept_changed_inputs,
            "skip": skip,
            "limit": limit,
            "shard": shard,
            "shard_by": shard_by,
            "fetch_only": fetch_only,
            "offline": offline,
            "share_connections": share_connections,
            "dry_run": dry_run,
            "threads": threads,
            "in_flight": in_flight,
            "stall_timeout": stall_timeout,
            "log_file": "" if log_file is None else os.fspath(log_file),
            "command": f"qsohost.Chain({self._name!r}).run({run_dir!r})",
        }
        bar = _progress.Bar() if progress is True else None
        try:
            report = _core.run(loaded, options, _progress.log, bar or progress or None)
        finally:
            if bar:
                bar.close()
        if report["end"] == "failed":
            raise _core.RunError(report["error"])
        return None if dry_run else open_run(run_dir, report)

    def stream(self, size: int = 500, *, skip: int = 0, limit: int | None = None, threads: int = 0) -> Batches:
        """The batches behind the last stage, `size` objects each, in the order of the source.

        Sinks are not called. The run waits for whoever takes the batches, so memory is bounded;
        leaving a `with` block, or close(), stops it.
        """
        loaded = self._loaded([("chain.batch_rows", toml_of(size))])
        options = {"skip": skip, "limit": limit, "threads": threads}
        stream = _core.Stream(loaded, options, _progress.log)
        _streams.add(stream)
        return Batches(stream)

    @property
    def _name(self) -> str:
        return "<text>" if self._text else self._file

    def _load(self, more: list[tuple[str, str]]):
        return _core.load(
            self._text, self._file, self._set + more, self._swap, self._plugins, self._allow_insecure_plugins,
            self._source,
        )  # fmt: skip

    def _loaded(self, more: list[tuple[str, str]]):
        loaded = self._load(more)
        if not loaded.is_good:
            raise ChainError(loaded.problems)
        for problem in loaded.problems:
            _progress.log(30, str(problem))
        return loaded

    def __repr__(self) -> str:
        loaded = self._load([])
        if not loaded.is_good:
            return f"<chain {self._name}: {len(loaded.problems)} problems, see check()>"
        return f"<chain {loaded.name}: " + " > ".join(label for label, _, _ in loaded.stages) + ">"

    def _repr_html_(self) -> str:
        loaded = self._load([])
        if not loaded.is_good:
            return "<pre>" + html.escape("\n".join(map(str, loaded.problems))) + "</pre>"
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in stage) + "</tr>" for stage in loaded.stages
        )
        return f"<table><tr><th>label</th><th>stage</th><th>role</th></tr>{rows}</table>"


def _start_mode(resume: bool, retry_failed: bool, restart: bool):
    if resume + retry_failed + restart > 1:
        raise ValueError("resume, retry_failed and restart exclude each other")
    if restart:
        return _core.StartMode.RESTART
    if retry_failed:
        return _core.StartMode.RETRY_FAILED
    return _core.StartMode.RESUME if resume else _core.StartMode.FRESH


def _close_streams() -> None:
    """At exit, while their threads can still end in good order."""
    for stream in list(_streams):
        stream.close()


atexit.register(_close_streams)
