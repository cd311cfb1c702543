import time

import numpy as np
import pytest

import qsohost
from conftest import curve


def dense(mjd, mag, variance, log_sigma, log_tau, mean, at):
    """Mean and standard deviation of the process by linear algebra."""
    covariance = lambda a, b: np.exp(2 * log_sigma - np.abs(a[:, None] - b) / np.exp(log_tau))  # noqa: E731
    solve = np.linalg.solve(covariance(mjd, mjd) + np.diag(variance), covariance(mjd, at))
    return mean + solve.T @ (mag - mean), np.sqrt(np.exp(2 * log_sigma) - np.sum(solve * covariance(mjd, at), axis=0))


def test_fit_has_the_names_and_values_of_the_products(source):
    for row in (0, 7):
        chain = qsohost.Chain('[chain]\nname = "n"\n[[stage]]\nuse = "arrays"\n[[stage]]\nuse = "ou-fit"\n'
                              'groups = ["ztf.g"]\n', source)
        (batch,) = chain.stream(100)
        lc = source["ztf.g"][row]
        fit = qsohost.fit(lc.time, lc.mag, lc.mag_err, z=source["z"][row])
        for name in ("log_sigma", "log_tau", "loglike", "chi2", "n_epochs", "mean", "flags"):
            assert fit[name] == batch[f"ou-fit.ztf.g.{name}"][row] == getattr(fit, name)
        assert np.array_equal(fit.loo.mean, batch["ztf.g"][row]["loo_mean"])
    assert {"log_tau", "flags", "loo_sd"} < set(fit) and len(fit) == len(dict(fit))
    assert fit.failure == ""


def test_a_fit_that_fails_says_why():
    mjd, mag, err = curve(1, 5)
    fit = qsohost.fit(mjd, mag, err)
    assert fit.failure == "too few epochs" and np.isnan(fit.log_tau) and "too few epochs" in repr(fit)
    assert qsohost.fit(*curve(1), z=-1).failure
    with pytest.raises(qsohost.UsageError, match="60 times, 59 magnitudes and 60 errors"):
        qsohost.fit(curve(1)[0], curve(1)[1][:-1], curve(1)[2])
    with pytest.raises(qsohost.UsageError, match="jiter"):
        qsohost.fit(*curve(1), jiter="fit")
    with pytest.raises(qsohost.UsageError, match="did you mean 'ou-fit'"):
        qsohost.fit(*curve(1), model="ou-fi")
    with pytest.raises(qsohost.UsageError, match="not a Fitter"):
        qsohost.fit(*curve(1), model="fits-sink")
    with pytest.raises(AttributeError, match="no result 'log_tua'"):
        qsohost.fit(*curve(1)).log_tua


@pytest.mark.parametrize("options", [{}, {"mean": "profiled"}, {"jitter": "fit"}, {"z": 1.3}])
def test_prediction_is_exact(options):
    mjd, mag, err = curve(3)
    fit = qsohost.fit(mjd, mag, err, **options)
    at = np.concatenate([np.linspace(57900, 60300, 50), mjd[:3]])
    stretch = 1 + options.get("z", 0)
    jitter = np.exp(fit["log_jitter"]) if "log_jitter" in fit else 0
    variance = err.astype(float) ** 2 + jitter**2
    mean, sd = dense(mjd / stretch, mag.astype(float), variance, fit.log_sigma, fit.log_tau, fit.mean, at / stretch)
    predicted = fit.predict(at)
    assert np.allclose(predicted.mean, mean, atol=1e-9) and np.allclose(predicted.sd, sd, atol=1e-9)


def test_order_and_missing_epochs_do_not_matter():
    mjd, mag, err = curve(4)
    fit = qsohost.fit(mjd, mag, err)
    order = np.random.default_rng(1).permutation(len(mjd))
    shuffled = qsohost.fit(mjd[order], mag[order], err[order])
    assert shuffled.log_tau == fit.log_tau
    assert np.array_equal(shuffled.loo.mean, fit.loo.mean[order])
    masked = np.ma.array(np.append(mag, 3), mask=[False] * len(mag) + [True])
    padded = qsohost.fit(np.append(mjd, 60001.0), masked, np.append(err, 0.02))
    assert padded.log_tau == fit.log_tau and padded.n_epochs == 60
    assert np.allclose(padded.predict(mjd).mean, fit.predict(mjd).mean)


def test_cleaning_and_its_prediction_leave_out_the_outlier():
    mjd, mag, err = curve(5, 100)
    mag[50] += 2
    fit = qsohost.fit(mjd, mag, err, model="ou-loo", rule="predictive")
    assert not fit["keep"][50] and fit.n_removed >= 1
    assert list(fit["removed_epoch_id"]) == list(np.flatnonzero(~fit["keep"]))
    kept = fit["keep"]
    expected, _ = dense(mjd[kept], mag[kept].astype(float), err[kept].astype(float) ** 2, fit.log_sigma_post,
                        fit.log_tau_post, fit.mean_post, mjd[50:51])
    assert np.allclose(fit.predict(mjd[50:51]).mean, expected)
    assert fit.predict(mjd[50]).mean.shape == ()


def test_quantiles_of_the_posterior():
    fit = qsohost.fit(*curve(6), posterior="quadrature")
    quantiles = [name for name in fit if name.startswith("log_tau_q") or "log_tau_p" in name]
    values = [fit[name] for name in quantiles]
    assert len(values) >= 3 and np.all(np.isfinite(values))


@pytest.mark.parametrize("model", ["dho", "structure-function"])
def test_other_models(model):
    fit = qsohost.fit(*curve(7, 100), model=model)
    assert fit.n_epochs == 100
    with pytest.raises(TypeError, match="only one predicts"):
        fit.predict([58000.0])


def test_many_fits_equal_single_ones():
    curves = [curve(i) for i in range(40)]
    fits = qsohost.fit_many(curves, z=[0.5] * 40)
    assert len(fits) == 40 and fits["log_tau"].shape == (40,)
    for i in (0, 13, 39):
        assert dict_equal(fits[i], qsohost.fit(*curves[i], z=0.5))
    assert fits[-1].log_tau == fits["log_tau"][-1]
    alone = qsohost.fit_many(curves, z=[0.5] * 40, threads=1)
    assert alone["log_tau"].tobytes() == fits["log_tau"].tobytes()
    assert len(qsohost.fit_many([])) == 0


def dict_equal(a, b):
    return list(a) == list(b) and all(np.array_equal(a[k], b[k], equal_nan=not isinstance(a[k], str)) for k in a)


def test_overhead_of_one_fit_is_below_a_millisecond():
    few = curve(8, 3)  # too few to be fitted: all that is left is overhead
    qsohost.fit(*few)
    times = []
    for _ in range(50):
        begin = time.perf_counter()
        qsohost.fit(*few)
        times.append(time.perf_counter() - begin)
    assert np.median(times) < 1e-3
