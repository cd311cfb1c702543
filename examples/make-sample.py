#!/usr/bin/env python3
"""Makes a small simulated sky for the quickstart: quasars, and what IRSA would answer about them.

    make-sample.py DIR [--sources N] [--seed S]

DIR/targets.csv            source_id, ra, dec, z
DIR/irsa/{source_id}.csv   one answer of the ZTF light-curve service per quasar, its 24 columns; the
                           last quasar's answer is a header only: ZTF has nothing there
DIR/truth.csv              per quasar and band: the process that made it, and the outliers put in

Each light curve is an Ornstein-Uhlenbeck process, covariance sigma^2 exp(-|dt|/tau) in rest-frame
days, observed in seasons by two overlapping ZTF fields, some nights twice, with errors that depend
on brightness. Some epochs fail the usual cuts (catflags, sharp, chi, airmass), and some that pass
them are gross outliers. Rows of one object id are in no particular order. The same seed gives the
same bytes. Python's standard library only.
"""

import argparse
import datetime
import math
import pathlib
import random

COLUMNS = (
    "oid,expid,hjd,mjd,mag,magerr,catflags,filtercode,ra,dec,chi,sharp,filefracday,field,ccdid,qid,"
    "limitmag,magzp,magzprms,clrcoeff,clrcounc,exptime,airmass,programid"
)
BANDS = {"g": 1, "r": 2, "i": 3}
CCD, QUADRANT = 5, 2
FIRST_MJD = 58200.0
SEASONS = 4
OUTLIERS_PER_BAND = {"g": (0, 1, 1, 2), "r": (0, 0, 1, 1)}


def nights_of(rng, band):
    """Times (MJD) of one band: seasons of 200 days, clouds, some nights twice."""
    step = {"g": 5.0, "r": 4.0, "i": 12.0}[band]
    times = []
    for season in range(SEASONS):
        night = FIRST_MJD + 365.25 * season + rng.uniform(0, 20)
        end = night + 200
        while night < end:
            time = math.floor(night) + rng.uniform(0.15, 0.45)
            times.append(time)
            if rng.random() < 0.08:
                times.append(time + rng.uniform(0.01, 0.04))
            night += 1 + rng.expovariate(1 / step)
    return sorted(set(round(t, 7) for t in times))


def ou_path(rng, times, sigma, tau):
    """A stationary OU process at `times` (days), mean 0."""
    values = []
    for i, time in enumerate(times):
        if i == 0:
            values.append(rng.gauss(0, sigma))
            continue
        decay = math.exp(-(time - times[i - 1]) / tau)
        values.append(rng.gauss(values[-1] * decay, sigma * math.sqrt(1 - decay * decay)))
    return values


def quality_of(rng):
    """catflags, sharp, chi, airmass of one epoch, and whether the usual cuts keep it."""
    quality = {
        "catflags": 0,
        "sharp": max(-0.2, min(0.2, rng.gauss(0, 0.05))),
        "chi": min(1.4, max(0.6, rng.gauss(0.95, 0.1))),
        "airmass": min(1.75, 1 + abs(rng.gauss(0.15, 0.2))),
    }
    fault = rng.random()
    if fault < 0.04:
        quality["catflags"] = rng.choice([32768, 2, 128, 33792])
    elif fault < 0.06:
        quality["sharp"] = rng.choice([-1, 1]) * rng.uniform(0.26, 0.6)
    elif fault < 0.09:
        quality["chi"] = rng.choice([rng.uniform(0.2, 0.49), rng.uniform(1.51, 4)])
    elif fault < 0.12:
        quality["airmass"] = rng.uniform(1.81, 2.6)
    return quality, fault >= 0.12


def date_of(mjd):
    return datetime.date(1858, 11, 17) + datetime.timedelta(days=mjd)


def number(value, digits=9):
    return f"{value:.{digits}g}"


def epoch_row(rng, target, band, oid, field, time, mag, magerr, quality):
    day = math.floor(time)
    hjd = "NaN" if rng.random() < 0.01 else f"{time + 2400000.5 + rng.uniform(-0.005, 0.005):.10f}"
    return [
        str(oid),
        str(int((time - FIRST_MJD) * 1440) + 43_000_000),
        hjd,
        f"{time:.9f}",
        number(mag),
        number(magerr),
        str(quality["catflags"]),
        "z" + band,
        f"{target['ra'] + rng.gauss(0, 1e-5):.15g}",
        f"{target['dec'] + rng.gauss(0, 1e-5):.15g}",
        number(quality["chi"]),
        number(quality["sharp"]),
        f"{date_of(day):%Y%m%d}{int((time - day) * 1_000_000):06d}",
        str(field),
        hex(CCD),
        hex(QUADRANT),
        number(rng.gauss(20.5, 0.4)),
        number(rng.gauss(26.2, 0.05)),
        number(abs(rng.gauss(0.035, 0.005))),
        number(rng.gauss(-0.05, 0.01)),
        number(abs(rng.gauss(9e-5, 1e-5))),
        "30",
        number(quality["airmass"]),
        "1",
    ]


def light_curve(rng, target, band, process, outliers):
    """Rows of one band, and the rows among them that are outliers."""
    times = nights_of(rng, band)
    rest = [t / (1 + target["z"]) for t in times]
    path = ou_path(rng, rest, process["sigma"], process["tau"])
    rows, good = [], []
    for time, wave in zip(times, path):
        true_mag = process["mean"] + wave
        magerr = math.sqrt(0.015**2 + (0.05 * 10 ** (0.4 * (true_mag - 19.5))) ** 2)
        quality, passes = quality_of(rng)
        # Two fields overlap here; the second one sees a third of the epochs, as another object.
        field, fid = (604, BANDS[band]) if rng.random() < 0.67 else (1602, BANDS[band])
        oid = field * 10**12 + fid * 10**11 + CCD * 10**9 + QUADRANT * 10**8 + target["serial"]
        mag = rng.gauss(true_mag, magerr)
        rows.append((oid, field, time, mag, magerr, quality))
        if passes:
            good.append(len(rows) - 1)
    chosen = sorted(rng.sample(good, outliers))
    for k in chosen:
        oid, field, time, mag, magerr, quality = rows[k]
        offset = rng.choice([-1, 1]) * rng.uniform(0.8, 1.8)
        rows[k] = (oid, field, time, mag + offset, magerr, quality)
    text = [epoch_row(rng, target, band, *row[:3], *row[3:]) for row in rows]
    return text, [text[k] for k in chosen]


def make_source(seed, serial):
    rng = random.Random(f"{seed}/{serial}")
    target = {
        "serial": serial,
        "source_id": 1_000_000_000_000_000_000 + serial * 7_654_321_987_654,
        "ra": rng.uniform(120, 240),
        "dec": rng.uniform(0, 60),
        "z": round(rng.uniform(0.3, 2.8), 4),
    }
    sigma, tau = math.exp(rng.gauss(math.log(0.15), 0.4)), math.exp(rng.gauss(math.log(150), 0.6))
    mean = rng.uniform(17.5, 19.5)
    answer, truth = [], []
    for band, reddening in (("g", 0.25), ("r", 0.0), ("i", -0.1)):
        process = {"sigma": sigma * (1.15 if band == "g" else 1), "tau": tau}
        process["mean"] = mean + reddening
        outliers = rng.choice(OUTLIERS_PER_BAND.get(band, (0,)))
        rows, wrong = light_curve(rng, target, band, process, outliers)
        answer += rows
        truth.append((band, process, rows, wrong))
    # One object id after another, each in no particular order, as the archive sends them.
    rng.shuffle(answer)
    answer.sort(key=lambda row: int(row[0]))
    return target, answer, truth


def write(path, lines):
    path.write_text("".join(line + "\n" for line in lines), encoding="ascii", newline="\n")


def truth_lines(target, answer, truth):
    place = {id(row): k for k, row in enumerate(answer)}
    for band, process, rows, wrong in truth:
        sigma, tau = process["sigma"], process["tau"]
        yield ",".join(
            [
                str(target["source_id"]),
                number(target["z"]),
                band,
                number(process["mean"]),
                number(math.log(sigma)),
                number(math.log(tau)),
                number(2 * math.log(sigma) - math.log(tau)),
                str(len(rows)),
                str(len(wrong)),
                " ".join(row[3] for row in wrong),
                " ".join(str(place[id(row)]) for row in wrong),
            ]
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path, metavar="DIR")
    parser.add_argument("--sources", type=int, default=36, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    options = parser.parse_args()
    if options.sources < 1:
        parser.error("--sources: at least 1")

    (options.folder / "irsa").mkdir(parents=True, exist_ok=True)
    targets = ["source_id,ra,dec,z"]
    truths = [
        "source_id,z,band,mean_mag,log_sigma,log_tau,logD,n_epochs,n_outliers,outlier_mjd,"
        "outlier_epoch_id"
    ]
    for serial in range(1, options.sources + 1):
        target, answer, truth = make_source(options.seed, serial)
        source_id = target["source_id"]
        targets.append(f"{source_id},{target['ra']:.15g},{target['dec']:.15g},{target['z']}")
        if serial == options.sources:
            answer = []
        else:
            truths += truth_lines(target, answer, truth)
        write(options.folder / "irsa" / f"{source_id}.csv",
              [COLUMNS] + [",".join(row) for row in answer])
    write(options.folder / "targets.csv", targets)
    write(options.folder / "truth.csv", truths)


if __name__ == "__main__":
    main()
