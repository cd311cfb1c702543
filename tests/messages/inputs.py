"""What is provoked: a case, chains as texts, and files."""

import dataclasses
import io

import numpy as np
from astropy.io import fits

CATALOG = "source_id,ra,dec,z,name\n11,10.0,20.0,1.5,a\n12,10.1,20.1,0.5,b\n13,10.2,20.2,2.5,c\n"
SOURCE = '[[stage]]\nuse = "catalog-source"\nlabel = "cat"\npath = "cat.csv"\n'
SINK = '[[stage]]\nuse = "fits-sink"\nlabel = "out"\n'
CURVES = '[[stage]]\nuse = "lightcurve-source"\nlabel = "cat"\npaths = ["lc.fits"]\n'
FIT = '[[stage]]\nuse = "ou-fit"\nlabel = "fit"\ngroups = ["ztf.g"]\nrest_frame = false\n'


def chain(*stages, name="mine"):
    return f'[chain]\nname = "{name}"\n' + "".join(stages)


def stage(use, **options):
    """With values as TOML writes them."""
    lines = "".join(f"{name} = {value}\n" for name, value in options.items())
    return f'[[stage]]\nuse = "{use}"\n{lines}'


def source(**options):
    return SOURCE + "".join(f"{name} = {value}\n" for name, value in options.items())


def fits_bytes(*hdus):
    out = io.BytesIO()
    fits.HDUList([fits.PrimaryHDU(), *hdus]).writeto(out)
    return out.getvalue()


def curves(**headers):
    """Of two objects, with ten epochs each."""
    times = np.array([np.arange(10.0) + 58000, np.arange(10.0) + 58100])
    columns = [
        fits.Column("source_id", "K", array=np.array([11, 12])),
        fits.Column("mjd_g", "10D", unit="d", array=times),
        fits.Column("mag_g", "10E", unit="mag", array=np.full((2, 10), 20.0)),
        fits.Column("magerr_g", "10E", unit="mag", array=np.full((2, 10), 0.1)),
    ]
    hdu = fits.BinTableHDU.from_columns(columns, name="LC")
    hdu.header.update(headers)
    return fits_bytes(hdu)


def votable(rows):
    return (
        '<?xml version="1.0"?>\n<VOTABLE version="1.4"><RESOURCE><TABLE>\n'
        '<FIELD name="source_id" datatype="long"/><FIELD name="ra" datatype="double" unit="deg"/>\n'
        '<FIELD name="dec" datatype="double" unit="deg"/>\n<DATA><TABLEDATA>\n' + rows
    )


@dataclasses.dataclass
class Case:
    """Run in a folder with chain.toml, if there is a chain, cat.csv, lc.fits and `files`."""

    name: str
    what: str
    where: str
    expected: str
    to_do: str
    chain: str | None = None
    args: tuple = ("--check",)  # besides --chain chain.toml
    files: dict = dataclasses.field(default_factory=dict)
    exit_code: int = 2


GOOD = chain(SOURCE, SINK)
RUN = ("--run-dir", "run")
