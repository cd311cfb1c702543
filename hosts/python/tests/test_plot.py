import matplotlib
import numpy as np
import pytest

matplotlib.use("Agg")

import qsohost  # noqa: E402
from conftest import CHAIN, objects  # noqa: E402


def lines_with(ax, count):
    return [line for line in ax.get_lines() if len(line.get_xdata()) == count]


def test_light_curve_of_a_run(finished):
    ax = qsohost.plot.light_curve(finished, 10**17 + 2)
    low, high = ax.get_ylim()
    assert low > high  # bright at the top
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    removed = sum(len(finished.tables[f"loo.ztf.{b}"]["removed_mjd"][2]) for b in "gr")
    shown = [int(label.split()[-2]) for label in labels if "epochs" in label]
    assert sum(shown) == 120 - removed
    assert len(lines_with(ax, 400)) == 2  # the fitted curves
    with pytest.raises(KeyError, match="no product has light curves of 5"):
        qsohost.plot.light_curve(finished, 5)


def test_light_curve_of_a_batch_is_that_of_the_run(finished):
    (batch,) = qsohost.Chain(CHAIN, objects(20)).stream(100)
    ours = lines_with(qsohost.plot.light_curve(batch, 10**17 + 2), 400)
    theirs = lines_with(qsohost.plot.light_curve(finished, 10**17 + 2), 400)
    for a, b in zip(ours, theirs, strict=True):
        assert np.allclose(a.get_ydata(), b.get_ydata(), atol=1e-9)


def test_tau_sigma_shows_every_fit(finished):
    ax = qsohost.plot.tau_sigma(finished, "loo.ztf.g")
    (points,) = lines_with(ax, 20)
    expected = finished.tables["loo.ztf.g"]["log_tau_post"] / np.log(10)
    assert np.allclose(points.get_xdata(), expected)
