"""Tables of a run, and other tables in files."""

import os
from collections.abc import Iterator, Mapping

from . import _core, progress as _progress


class Table(Mapping):
    """A table in memory: table["log_tau"] is a read-only numpy view, of arrays of any length an
    `Arrays` whose entry i is that of row i. Missing numbers are NaN, of integers see mask().

    Gives its columns to whoever reads Arrow (pyarrow, polars, pandas 2.2, duckdb) without a copy.
    """

    def __init__(self, core, file: str) -> None:
        self._core = core
        self.file = file
        for warning in core.warnings:
            _progress.log(30, warning)

    @property
    def rows(self) -> int:
        return len(self._core)

    @property
    def extension(self) -> str:
        """EXTNAME of a FITS product, such as 'loo.ztf.g'."""
        return self._core.extension

    @property
    def history(self) -> list[str]:
        """The chain that made it, one line a fact."""
        return self._core.history

    @property
    def light_curves(self) -> dict[str, tuple[str, str, str]]:
        """Of a product with light curves: by group ("ztf.g") its columns of time, mag and mag_err."""
        return self._core.light_curves

    def __getitem__(self, name: str):
        return self._core[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._core.keys())

    def __len__(self) -> int:
        """Number of columns, as of any mapping; see `rows`."""
        return len(self._core.keys())

    def info(self, name: str):
        """Name, dtype, unit, description and shape of a column."""
        return self._core.info(name)

    def mask(self, name: str):
        """False where a value is missing; None if none is."""
        return self._core.mask(name)

    def numpy(self) -> dict:
        """All columns by name; arrays of any length as object arrays of views."""
        return {name: self._array(name) for name in self}

    def to_astropy(self):
        """astropy.table.Table with units and descriptions; numbers are not copied."""
        from astropy.table import Column, MaskedColumn, Table as AstropyTable

        table = AstropyTable(meta={"file": self.file, "extension": self.extension, "history": self.history})
        for name in self:
            info, values, mask = self.info(name), self._array(name), self.mask(name)
            if info.dtype == "string":
                values = values.astype(str)
            described = {"name": name, "unit": info.unit or None, "description": info.description, "copy": False}
            is_masked = mask is not None and mask.shape == values.shape
            column = MaskedColumn(values, mask=~mask, **described) if is_masked else Column(values, **described)
            table.add_column(column, copy=False)
        return table

    def to_pandas(self):
        """pandas.DataFrame; integers with missing values get a nullable type."""
        import pandas

        columns = {}
        for name in self:
            values, mask = self._array(name), self.mask(name)
            if values.ndim > 1:
                values = _rows_of(values)
            elif mask is not None and values.dtype.kind == "i" and mask.shape == values.shape:
                values = pandas.arrays.IntegerArray(values, ~mask)
            columns[name] = values
        return pandas.DataFrame(columns)

    def __arrow_c_schema__(self):
        return self._core.__arrow_c_schema__()

    def __arrow_c_array__(self, requested_schema=None):
        return self._core.__arrow_c_array__(requested_schema)

    def __arrow_c_stream__(self, requested_schema=None):
        return self._core.__arrow_c_stream__(requested_schema)

    def _array(self, name: str):
        column = self._core[name]
        return _rows_of(column) if isinstance(column, _core.Arrays) else column

    def __repr__(self) -> str:
        return f"<table {self.extension or os.path.basename(self.file)}: {self.rows} rows, {len(self)} columns>"

    def _repr_html_(self) -> str:
        import html

        head = "".join(f"<th>{html.escape(name)}</th>" for name in self)
        shown = min(self.rows, 5)
        cells = [[html.escape(str(self._core[name][i])) for name in self] for i in range(shown)]
        body = "".join("<tr>" + "".join(f"<td>{c}</td>" for c in row) + "</tr>" for row in cells)
        return f"{html.escape(repr(self))}<table><tr>{head}</tr>{body}</table>"


def _rows_of(arrays):
    """An object array with one array a row."""
    import numpy

    rows = numpy.empty(len(arrays), dtype=object)
    for i in range(len(arrays)):
        rows[i] = arrays[i]
    return rows


def read_table(file: str | os.PathLike, hdu: str = "") -> Table:
    """Any table that a stage can read: FITS, VOTable, IPAC, ECSV, CSV, TSV, also gzipped."""
    file = os.fspath(file)
    return Table(_core.read_table(file, hdu), file)
