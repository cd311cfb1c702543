"""Progress of a run: a bar in a terminal or in a notebook, and log lines."""

import logging
import shutil
import sys

from . import _core

_log = logging.getLogger("qsohost")


def log(level: int, text: str) -> None:
    """A line of the run, to Python's logger 'qsohost'; called in the thread that waits for it."""
    _log.log(level, "%s", text)


def _in_notebook() -> bool:
    if "IPython" not in sys.modules:
        return False
    shell = sys.modules["IPython"].get_ipython()
    return type(shell).__name__ == "ZMQInteractiveShell"


class Bar:
    """The bar of `qsohost run`, redrawn in place; nothing where neither notebook nor terminal is."""

    def __init__(self) -> None:
        self._handle = None
        self._is_notebook = _in_notebook()
        self._is_terminal = not self._is_notebook and sys.stderr is not None and sys.stderr.isatty()
        self._is_drawn = False

    def __call__(self, done: int, total: int | None, this_run: int, seconds: float, stage: str) -> None:
        if self._is_notebook:
            self._show(_core.bar_line(done, total, this_run, seconds, stage, 100))
        elif self._is_terminal:
            width = shutil.get_terminal_size().columns - 1
            line = _core.bar_line(done, total, this_run, seconds, stage, width)
            sys.stderr.write("\r\x1b[2K" + line)
            sys.stderr.flush()
            self._is_drawn = True

    def close(self) -> None:
        if self._is_drawn:
            sys.stderr.write("\r\x1b[2K")
            sys.stderr.flush()

    def _show(self, line: str) -> None:
        from IPython.display import display

        text = {"text/plain": line}
        if self._handle is None:
            self._handle = display(text, raw=True, display_id=True)
        else:
            self._handle.update(text, raw=True)
