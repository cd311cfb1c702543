"""Reads scripts with stages, for the C++ side: every function here is called from there."""

from __future__ import annotations

import hashlib
import sys
import traceback
import types
from pathlib import Path

from . import stages

_ROLES = (stages.Source, stages.Fetcher, stages.Filter, stages.Fitter)  # in the order of qsohost::Role
_METHODS = {
    stages.Source: ["read"],
    stages.Fetcher: ["fetch"],
    stages.Filter: ["apply"],
    stages.Fitter: ["fit", "fit_batch"],
}


class _Script:
    """A script that was read: its stages by name, and its helper modules."""

    def __init__(self, path: str) -> None:
        self.path = path
        text = Path(path).read_bytes()
        self.module = types.ModuleType(f"qsohost_script_{Path(path).stem}")
        sys.modules[self.module.__name__] = self.module  # dataclasses and pickle look there
        self.module.__file__ = path
        self.helpers = _run(text, path, self.module)
        self.stages = _stages_of(self.module)
        version = getattr(self.module, "__version__", None)
        self.version = str(version) if version else hashlib.sha256(text).hexdigest()[:12]


_scripts: dict[str, _Script] = {}


def _run(text: bytes, path: str, module: types.ModuleType) -> list[tuple[str, str]]:
    """Runs the script; returns name and text of the modules that it took from its folder. They are
    read anew by every script: another may have a helper of the same name."""
    folder = str(Path(path).parent)
    for script in _scripts.values():
        for name, _ in script.helpers:
            sys.modules.pop(name, None)
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)
    before = set(sys.modules)
    exec(compile(text, path, "exec"), module.__dict__)
    helpers = []
    for name in sorted(set(sys.modules) - before):
        file = getattr(sys.modules[name], "__file__", None)
        if file and file.endswith(".py") and Path(file).is_relative_to(folder):
            helpers.append((name, Path(file).read_text(errors="surrogateescape")))
    return helpers


def _stages_of(module: types.ModuleType) -> dict[str, type]:
    found: dict[str, type] = {}
    for value in list(vars(module).values()):
        cls = getattr(value, "qsohost_stage", value)
        is_stage = isinstance(cls, type) and issubclass(cls, _ROLES) and cls.__module__ == module.__name__
        if not is_stage or cls.__name__.startswith("_") or cls in found.values():
            continue
        name = stages.name_of(cls)
        if name in found:
            raise TypeError(f"two stages are called '{name}': give one another stage_name")
        _look_at(cls)
        found[name] = cls
    return found


def _role_of(cls: type) -> type:
    return next(role for role in _ROLES if issubclass(cls, role))


def _look_at(cls: type) -> None:
    """What can be said of a class without running it."""
    role = _role_of(cls)
    own = [name for name in _METHODS[role] if getattr(cls, name) is not getattr(role, name)]
    if len(own) != 1:
        raise TypeError(f"class {cls.__name__} needs the method " + " or ".join(f"{n}()" for n in _METHODS[role]))
    if role is stages.Fitter and not all(isinstance(out, stages.Out) for out in cls.adds):
        raise TypeError(f"class {cls.__name__}: adds must be a list of qsohost.Out(...)")
    if role is stages.Fitter and not cls.adds:
        raise TypeError(f"class {cls.__name__}: adds = [qsohost.Out(...)] must say which results there are")


def read(path: str) -> tuple[str, list[tuple[str, str, int]]]:
    """Runs the script. Its version, and name, summary and role of each stage."""
    script = _scripts[path] = _Script(path)
    lines = []
    for name, cls in script.stages.items():
        summary = (cls.__doc__ or "").strip().partition("\n")[0].rstrip(".")
        lines.append((name, summary or f"{cls.__name__} of {Path(path).name}", _ROLES.index(_role_of(cls))))
    return script.version, lines


def create(path: str, name: str):
    """An object of the stage's class, with its options and the script's helper modules."""
    script = _scripts[path]
    cls = script.stages[name]
    return cls(), stages.options_of(cls), script.helpers


def role_of(path: str, name: str) -> int:
    """As a number of qsohost::Role."""
    return _ROLES.index(_role_of(_scripts[path].stages[name]))


def min_points(path: str, name: str) -> int | None:
    """Of a fitter of single light curves; None of one that has fit_batch."""
    cls = _scripts[path].stages[name]
    return cls.min_points if cls.fit_batch is stages.Fitter.fit_batch else None


def set_options(stage: stages.Stage, label: str, values: dict) -> None:
    stage.label = label
    for option in stages.options_of(type(stage)):
        value = values[option.name]
        if option.type is Path:
            value = Path(value)
        elif option.type == list[Path]:
            value = [Path(item) for item in value]
        stage.__dict__[option.name] = value


def results_of(stage: stages.Fitter, returned) -> list:
    """The results in the order of `adds`."""
    names = [out.name for out in stage.adds]
    if isinstance(returned, dict):
        unknown = [name for name in returned if name not in names]
        missing = [name for name in names if name not in returned]
        if unknown or missing:
            problem = f"returned '{unknown[0]}'" if unknown else f"did not return '{missing[0]}'"
            raise TypeError(f"it {problem}; it must return what adds names: " + ", ".join(names))
        return [returned[name] for name in names]
    if len(names) == 1 and not isinstance(returned, tuple):  # a list is one result: an array
        return [returned]
    if not isinstance(returned, tuple | list) or len(returned) != len(names):
        raise TypeError(f"it returned {type(returned).__name__}, but must return the {len(names)} results that adds names")
    return list(returned)


def flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:
            stream.flush()


def describe(error: BaseException, path: str, with_trace: bool) -> str:
    """The error with its place in the script, "my.py:3: ValueError: ..."; with the calls that led to it."""
    if isinstance(error, SyntaxError):
        return f"{error.filename}:{error.lineno}:{error.offset}: {type(error).__name__}: {error.msg}"
    folder = str(Path(path).parent)
    frames = [f for f in traceback.extract_tb(error.__traceback__) if f.filename.startswith(folder)]
    place = f"{frames[-1].filename}:{frames[-1].lineno}" if frames else path
    text = f"{place}: " + "".join(traceback.format_exception_only(error)).strip()
    if with_trace:
        text += "".join(f"\n  {f.filename}:{f.lineno}, in {f.name}: {f.line}" for f in frames[-5:])
    return text
