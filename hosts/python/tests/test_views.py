import gc
import resource

import numpy as np
import pytest

import qsohost
from conftest import CHAIN, objects


def address(array):
    return array.__array_interface__["data"][0]


def current_memory():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * resource.getpagesize()


def test_a_million_epochs_are_not_copied():
    epochs = 1_000_000
    mjd = np.arange(epochs, dtype=float)
    mag = np.linspace(18, 20, epochs, dtype=np.float32)
    batch = qsohost.from_arrays({"ztf.g": [(mjd, mag, np.ones(epochs, np.float32))]})
    group = batch["ztf.g"]
    before = current_memory()
    views = [group.mag for _ in range(100)]
    assert current_memory() - before < 1_000_000  # a copy would be 4 MB each
    assert {address(view) for view in views} == {address(group["mag"])} == {address(group[0].mag)}
    assert not views[0].flags.owndata
    assert np.array_equal(views[0], mag)


def test_an_object_is_a_slice_of_its_group():
    batch = objects(3)
    group = batch["ztf.r"]
    offsets = group.offsets
    for i, curve in enumerate(group):
        assert address(curve.mag) == address(group.mag) + 4 * int(offsets[i])
        assert len(curve) == offsets[i + 1] - offsets[i]
        assert curve.source_id == 10**17 + i
    assert group[-1].source_id == 10**17 + 2
    with pytest.raises(IndexError):
        group[3]


def test_views_are_read_only(source):
    view = source["ztf.g"][0].mag
    with pytest.raises(ValueError):
        view[0] = 1
    with pytest.raises(ValueError):
        view.flags.writeable = True
    with pytest.raises(ValueError):
        source["ztf.g"].offsets[0] = 1


def test_a_view_outlives_its_batch():
    views = []
    for batch in qsohost.Chain(CHAIN, objects(30)).stream(5):
        views.append((batch["ztf.g"][0].mag, batch["ztf.g"][0].mag.copy(), batch["source_id"]))
        del batch
    gc.collect()
    filler = [np.full(10_000, np.nan) for _ in range(200)]  # takes memory that was freed
    assert len(views) == 6
    assert all(np.array_equal(view, copy) for view, copy, _ in views)
    assert [int(ids[0]) - 10**17 for _, _, ids in views] == list(range(0, 30, 5))
    del filler


def test_memory_does_not_grow_over_1000_batches():
    curves = [tuple(np.zeros(2_000, t) for t in (float, np.float32, np.float32))] * 1_100
    chain = qsohost.Chain('[chain]\nname = "n"\n[[stage]]\nuse = "arrays"\n', qsohost.from_arrays({"ztf.g": curves}))
    seen = 0
    for batch in chain.stream(1):
        assert batch["ztf.g"].mag[-1] == 0
        seen += 1
        if seen == 100:
            begin = current_memory()
    assert seen == 1_100
    assert current_memory() - begin < 8_000_000  # a batch has 48 kB: all would be 48 MB


def test_columns_tell_what_they_are(source):
    info = source["ztf.g"].columns.info("magerr")
    assert (info.name, info.dtype, info.unit, info.shape) == ("magerr", "f32", "mag", ())
    assert source["ztf.g"].time_system == "MJD UTC"
    assert source.objects.mask("z") is None
    with pytest.raises(KeyError, match="there are: source_id, ra, dec, z"):
        source.objects["nothing"]
    with pytest.raises(KeyError, match="the groups: ztf.g, ztf.r"):
        source["nothing"]


def test_types_and_shapes_come_back_as_they_went_in():
    columns = {
        "flag": np.array([True, False]),
        "small": np.array([-1, 2], np.int16),
        "unsigned": np.array([0, 2**32 - 1], np.uint32),
        "big_endian": np.array([1.5, np.nan], ">f4"),
        "vector": np.arange(6.0).reshape(2, 3),
        "matrix": np.arange(12, dtype=np.int32).reshape(2, 2, 3),
        "name": ["one", "ö zwei"],
    }
    batch = qsohost.from_arrays(source_id=["a", "b"], **columns)
    for name, values in columns.items():
        assert np.array_equal(batch[name], np.asarray(values), equal_nan=name == "big_endian"), name
    assert batch["unsigned"].dtype == np.int64
    assert batch.objects.info("matrix").shape == (2, 3)
    assert list(batch["source_id"]) == ["a", "b"]


def test_wrong_arrays_are_refused():
    good = (np.zeros(3), np.zeros(3), np.zeros(3))
    with pytest.raises(ValueError, match="lengths are {'z': 1, 'ztf.g': 2}"):
        qsohost.from_arrays({"ztf.g": [good, good]}, z=[1])
    with pytest.raises(ValueError, match="light curve ztf.g of object 1: columns of different lengths"):
        qsohost.from_arrays({"ztf.g": [good, (np.zeros(3), np.zeros(2), np.zeros(3))]})
    with pytest.raises(TypeError, match="not floats"):
        qsohost.from_arrays(source_id=[1.0, 2.0])
    with pytest.raises(TypeError, match="complex128"):
        qsohost.from_arrays(z=[1j])
