"""Stage time-system, compared with astropy; what its products say; real times of ZTF."""

import csv
import unittest
import warnings

import astropy.units as u
import numpy as np
from astropy import log
from astropy.coordinates import EarthLocation, SkyCoord
from astropy.io import fits
from astropy.time import Time
from astropy.utils import iers

from support import SHARED, ChainTest, irsa_answer, irsa_row, needs_data, read_table

iers.conf.auto_download = False
# Where the Earth's axis points is not known of late; its centre does not care.
log.setLevel("ERROR")
warnings.filterwarnings("ignore", message=".*dubious year")

PLACES = {"MJD": None, "HJD": "heliocentric", "BJD": "barycentric"}
CENTRE = EarthLocation.from_geocentric(0, 0, 0, u.m)
POSITIONS = [(150.0, 2.0), (10.0, -60.0), (270.0, 66.5), (359.9, 0.0)]

READ = """
[[stage]]
use = "lightcurve-source"
paths = ["{paths}"]
"""
BAND = """
[[stage.band]]
group = "own.g"
time = "t_g"
mag = "mag_g"
mag_err = "mag_err_g"
time_system = "{system}"
"""
CONVERT = """
[[stage]]
use = "time-system"
to = "{to}"
"""
WRITE = """
[[stage]]
use = "fits-sink"
label = "{what}"
what = "{what}"
"""


def seconds(times, zeros, other):
    """times + zeros (JD) minus what astropy has, in seconds."""
    scale = other.scale
    return (Time(np.full_like(times, zeros), times, format="jd", scale=scale) - other).sec


def at_place(times, kind, position):
    """Times at the Earth as TDB at a place."""
    if kind is None:
        return times.tdb
    object_ = SkyCoord(*position, unit="deg")
    return times.tdb + times.light_travel_time(object_, kind=kind, ephemeris="builtin")


class TimeSystem(ChainTest):
    def chain(self, *stages):
        self.qsohost("--chain", self.write("chain.toml", '[chain]\nname = "t"\n' + "".join(stages)),
                     "--run-dir", "run", "--restart")  # fmt: skip

    def convert(self, times, system, to, positions=POSITIONS):
        """The times of one light curve for each position, converted by a chain."""
        cells = np.empty(len(positions), dtype=object)
        for i in range(len(positions)):
            cells[i] = np.array(times)
        columns = [fits.Column("source_id", "K", array=np.arange(len(positions)))]
        for i, name in enumerate(("ra", "dec")):
            columns.append(fits.Column(name, "D", array=[p[i] for p in positions], unit="deg"))
        for name, unit in (("t_g", "d"), ("mag_g", "mag"), ("mag_err_g", "mag")):
            columns.append(fits.Column(name, "PD()", array=cells, unit=unit))
        fits.BinTableHDU.from_columns(columns).writeto(self.folder / "own.fits", overwrite=True)
        self.chain(READ.format(paths="own.fits"), BAND.format(system=system),
                   CONVERT.format(to=to), WRITE.format(what="own"))  # fmt: skip
        return read_table(self.folder / "run/t_own_lc.fits")

    def test_every_scale_agrees_with_astropy_to_a_microsecond(self):
        rng = np.random.default_rng(7)
        # On 57753 a leap second ends the day.
        mjd = np.sort(np.append(rng.uniform(41318, 61300, 300), [57753.5, 57753.999995, 57754]))
        for scale in ("utc", "tai", "tt", "tcg", "tdb", "tcb"):
            for other in ("utc", "tdb"):
                if scale == other:
                    continue
                with self.subTest(scale=scale, other=other):
                    table, header = self.convert(mjd, f"MJD {scale.upper()}", f"MJD {other.upper()}")
                    expected = getattr(Time(mjd, format="mjd", scale=scale), other)
                    error = np.abs(seconds(table["t_g"][0], 2400000.5, expected))
                    self.assertLess(error.max(), 1e-6)
                    self.assertEqual(header["TIMESYS"], other.upper())

    def test_places_agree_with_astropy_to_ten_microseconds(self):
        mjd = np.sort(np.random.default_rng(8).uniform(41318, 61300, 300))
        earth = Time(mjd, format="mjd", scale="utc", location=CENTRE)
        for date, kind in PLACES.items():
            if kind is None:
                continue
            with self.subTest(place=kind):
                table, _ = self.convert(mjd, "MJD UTC", f"{date} TDB - 2400000.5")
                for times, position in zip(table["t_g"], POSITIONS):
                    expected = at_place(earth, kind, position)
                    self.assertLess(np.abs(seconds(times, 2400000.5, expected)).max(), 1e-5)

    def test_back_to_the_observatory(self):
        mjd = np.sort(np.random.default_rng(9).uniform(41318, 61300, 300))
        for date, kind in PLACES.items():
            with self.subTest(place=date):
                system = "MJD TDB" if kind is None else f"{date} TDB - 2400000.5"
                table, header = self.convert(mjd, system, "MJD UTC")
                for times, position in zip(table["t_g"], POSITIONS):
                    earth = Time(times, format="mjd", scale="utc", location=CENTRE)
                    error = (Time(mjd, format="mjd", scale="tdb") - at_place(earth, kind, position)).sec
                    self.assertLess(np.abs(error).max(), 1e-6 if kind is None else 1e-5)
                self.assertEqual((header["TIMESYS"], header["TREFPOS"]), ("UTC", "TOPOCENTER"))

    def test_products_say_what_their_times_are_and_are_read_back(self):
        rows = [irsa_row(7, mjd, 18, 0.02) for mjd in (58000.5, 58001.5)]
        self.write("targets.csv", "source_id,ra,dec,alpha\n1,10,20,10.0\n2,10,20,\n")
        for i in (1, 2):
            self.write(f"answers/{i}.csv", irsa_answer(rows))
        source = ('[[stage]]\nuse = "catalog-source"\npath = "targets.csv"\n[[stage]]\n'
                  'use = "ztf-files"\npath = "answers/{source_id}.csv"\n')  # fmt: skip
        columns = 'columns = ["mjd", "mag", "magerr", "hjd"]\n'
        before = WRITE.format(what="ztf") + 'path = "before.fits"\n'
        self.chain(source, before, CONVERT.format(to="BJD TDB") + 'ra = "alpha"\n',
                   WRITE.format(what="ztf").replace('label = "ztf"', 'label = "after"'), columns)  # fmt: skip
        old, old_header = read_table(self.folder / "run/before.fits")
        new, header = read_table(self.folder / "run/t_ztf_lc.fits")
        np.testing.assert_array_equal(old["mjd_g"][0], [58000.5, 58001.5])
        self.assertEqual((old_header["TIMESYS"], old_header["MJDREF"]), ("UTC", 0))
        self.assertEqual(
            (header["TIMESYS"], header["TREFPOS"], header["MJDREF"], header["QTSYS1"]),
            ("TDB", "BARYCENTER", -2400000.5, "BJD TDB"),
        )
        earth = Time(old["mjd_g"][0], format="mjd", scale="utc", location=CENTRE)
        expected = at_place(earth, "barycentric", (10, 20))
        self.assertLess(np.abs(seconds(new["mjd_g"][0], 0, expected)).max(), 5e-5)  # JD in a double
        np.testing.assert_array_equal(new["hjd_g"][0], old["mjd_g"][0] + 2400000.5)
        described = header[f"TCOMM{list(new).index('mjd_g') + 1}"]
        self.assertEqual(described, "time, converted from MJD UTC; BJD TDB")
        self.assertTrue(np.isnan(new["mjd_g"][1]).all())
        said = self.qsohost("status", "run", "--failed").stdout
        self.assertRegex(said, r"2.*ztf\.g: 2 of 2 times are NaN now: .* no position")

        # The product is read with its new times, which go back to those of before.
        (self.folder / "run/t_ztf_lc.fits").rename(self.folder / "read.fits")
        self.chain(READ.format(paths="read.fits"), CONVERT.format(to="MJD UTC"),
                   WRITE.format(what="ztf"))  # fmt: skip
        back, header = read_table(self.folder / "run/t_ztf_lc.fits")
        self.assertLess(np.abs(back["mjd_g"][0] - old["mjd_g"][0]).max() * 86400, 5e-5)
        self.assertEqual((header["TIMESYS"], header["MJDREF"]), ("UTC", 0))

    @needs_data
    def test_heliocentric_times_of_ztf_are_those_of_the_archive(self):
        for path in sorted((SHARED / "ztf/irsa").glob("*.csv"))[:4]:
            with open(path) as file:
                rows = list(csv.DictReader(file))
            if not rows:
                continue
            mjd, hjd, exposure, ra, dec = (np.array([float(row[c]) for row in rows])
                                           for c in ("mjd", "hjd", "exptime", "ra", "dec"))  # fmt: skip
            # mjd is the begin of the exposure, hjd its middle.
            table, _ = self.convert(mjd, "MJD UTC", "HJD UTC - 2400000.5", [(ra[0], dec[0])])
            error = (table["t_g"][0] + 2400000.5 - hjd) * 86400 + exposure / 2
            self.assertLess(np.abs(error).max(), 0.025, path.name)


if __name__ == "__main__":
    unittest.main()
