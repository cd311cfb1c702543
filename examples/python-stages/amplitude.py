"""A fitter in ten lines: the range of a light curve that noise does not explain."""

import numpy as np
import qsohost


@qsohost.fitter(adds=[qsohost.Out("excess", unit="mag", help="standard deviation beyond mag_err, 0 if none")], min_points=10)
def amplitude(curve):
    """Standard deviation of light curves beyond their errors."""
    return np.sqrt(max(0.0, np.var(curve.mag, ddof=1) - np.mean(curve.mag_err**2)))
