"""Chains over the light curves of quasars, from Python.

>>> import qsohost
>>> chain = qsohost.Chain("dr16q_ztf.toml").set("loo.max_passes", 5)
>>> chain.check()                                # [], or what is wrong, with file and line
>>> run = chain.run("out.run")                   # Ctrl-C leaves a run that `resume=True` continues
>>> run.tables["loo.ztf.g"].to_astropy()
>>> qsohost.fit(mjd, mag, mag_err, z=1.2).log_tau

Times are days, magnitudes and their errors magnitudes; arrays of results are read-only views on
memory of the C++ library, which they hold alive. Works without astropy, pandas and matplotlib,
unless a function is named after them.
"""

from ._core import API_NUMBER, RunError, UsageError, __version__
from .arrays import from_arrays
from .chain import Chain, ChainError, Problem
from .commands import compare, relate, report
from .curves import Fit, Fits, fit, fit_many
from .run import Outcomes, Run, merge, open_run
from .stages import (
    REQUIRED,
    BadObject,
    Fetcher,
    Filter,
    Fitter,
    In,
    LightCurves,
    Option,
    Out,
    Source,
    TryAgain,
    filter,  # noqa: A004  (qsohost.filter, the decorator)
    fitter,
)
from .tables import Table, read_table

open = open_run  # noqa: A001  (qsohost.open, like gzip.open)

__all__ = [
    "API_NUMBER",
    "BadObject",
    "Chain",
    "ChainError",
    "Fetcher",
    "Filter",
    "Fit",
    "Fits",
    "Fitter",
    "In",
    "LightCurves",
    "Option",
    "Out",
    "Outcomes",
    "Problem",
    "REQUIRED",
    "Run",
    "RunError",
    "Source",
    "Table",
    "TryAgain",
    "UsageError",
    "__version__",
    "compare",
    "filter",
    "fit",
    "fit_many",
    "fitter",
    "from_arrays",
    "merge",
    "open",
    "plot",
    "read_table",
    "relate",
    "report",
]


def __getattr__(name: str):
    if name == "plot":  # on demand: it needs matplotlib
        import importlib

        return importlib.import_module(".plot", __name__)
    raise AttributeError(f"module 'qsohost' has no attribute '{name}'")
