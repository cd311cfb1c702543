"""Runs chains and compares FITS tables, for the tests beside this file."""
import pathlib
import subprocess
import sys

try:
    import numpy as np
    from astropy.io import fits
except ImportError:
    print("skipped: python3-astropy is not installed")
    sys.exit(77)

PROGRAM = sys.argv[1]


def chain(folder, name, stages):
    """Writes a chain file. stages: [("use", {option: TOML text})]; the label is the option 'label'."""
    text = f'[chain]\nname = "{name}"\nbatch_rows = 7\n'
    for use, options in stages:
        text += f'[[stage]]\nuse = "{use}"\n'
        text += "".join(f"{key} = {value}\n" for key, value in options.items())
    path = pathlib.Path(folder) / f"{name}.toml"
    path.write_text(text)
    return path


def qsohost(*arguments, code=0):
    done = subprocess.run([PROGRAM, *map(str, arguments)], capture_output=True, text=True)
    output = done.stdout + done.stderr
    assert code is None or done.returncode == code, f"{arguments}: exit {done.returncode}, not {code}\n{output}"
    return output


def flags(cell):
    """Logical arrays as bool: astropy 5 writes 0 and 1 where the standard wants F and T."""
    cell = np.asarray(cell)
    return (cell == ord("T")) | (cell == 1)


def same_cell(a, b):
    a, b = np.asarray(a), np.asarray(b)
    if a.shape != b.shape or a.dtype.newbyteorder("=") != b.dtype.newbyteorder("="):
        return False
    return np.array_equal(a, b, equal_nan=a.dtype.kind == "f")


def assert_same(first, second):
    """Equal columns, units, types, and every cell equal to the last bit of its value."""
    with fits.open(first, memmap=False) as a, fits.open(second, memmap=False) as b:
        assert a[1].columns.names == b[1].columns.names, (a[1].columns.names, b[1].columns.names)
        assert len(a[1].data) == len(b[1].data)
        for column in a[1].columns:
            assert (column.unit or "") == (b[1].columns[column.name].unit or ""), column.name
            pairs = zip(a[1].data[column.name], b[1].data[column.name])
            is_flag = column.format.lstrip("1")[:2] in ("PL", "QL")
            for row, (x, y) in enumerate(pairs):
                if is_flag:
                    x, y = flags(x), flags(y)
                assert same_cell(x, y), f"{column.name}, row {row + 1}: {x} is not {y}"
