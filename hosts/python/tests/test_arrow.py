"""The Arrow C data interface, read with ctypes: nothing in Debian 12 reads it."""

import ctypes

import numpy as np

import qsohost


class Schema(ctypes.Structure):
    pass


class Array(ctypes.Structure):
    pass


class Stream(ctypes.Structure):
    pass


P = ctypes.POINTER
Schema._fields_ = [("format", ctypes.c_char_p), ("name", ctypes.c_char_p), ("metadata", ctypes.c_void_p),
                   ("flags", ctypes.c_int64), ("n_children", ctypes.c_int64), ("children", P(P(Schema))),
                   ("dictionary", P(Schema)), ("release", ctypes.CFUNCTYPE(None, P(Schema))),
                   ("private_data", ctypes.c_void_p)]
Array._fields_ = [("length", ctypes.c_int64), ("null_count", ctypes.c_int64), ("offset", ctypes.c_int64),
                  ("n_buffers", ctypes.c_int64), ("n_children", ctypes.c_int64), ("buffers", P(ctypes.c_void_p)),
                  ("children", P(P(Array))), ("dictionary", P(Array)), ("release", ctypes.CFUNCTYPE(None, P(Array))),
                  ("private_data", ctypes.c_void_p)]
Stream._fields_ = [("get_schema", ctypes.CFUNCTYPE(ctypes.c_int, P(Stream), P(Schema))),
                   ("get_next", ctypes.CFUNCTYPE(ctypes.c_int, P(Stream), P(Array))),
                   ("get_last_error", ctypes.CFUNCTYPE(ctypes.c_char_p, P(Stream))),
                   ("release", ctypes.CFUNCTYPE(None, P(Stream))), ("private_data", ctypes.c_void_p)]

get_pointer = ctypes.pythonapi.PyCapsule_GetPointer
get_pointer.restype, get_pointer.argtypes = ctypes.c_void_p, [ctypes.py_object, ctypes.c_char_p]


def struct_in(capsule, kind, name):
    struct = kind.from_address(get_pointer(capsule, name))
    struct.capsule = capsule  # which releases what was not moved out
    return struct


def children(struct):
    return [struct.children[i].contents for i in range(struct.n_children)]


def metadata_of(schema):
    """Counts and lengths are native int32."""
    at, out = schema.metadata, {}
    number = lambda: ctypes.c_int32.from_address(at).value  # noqa: E731
    pairs, at = number(), at + 4
    for _ in range(pairs):
        texts = []
        for _ in range(2):
            length, at = number(), at + 4
            texts.append(ctypes.string_at(at, length).decode())
            at += length
        out[texts[0]] = texts[1]
    return out


def made():
    curves = [(np.array([1.0, 2.0]), np.array([19.0, 20.0], np.float32), np.array([0.1, 0.2], np.float32)),
              (np.array([3.0]), np.array([21.0], np.float32), np.array([0.3], np.float32))]
    return qsohost.from_arrays({"ztf.g": curves}, name=["one", "three"], flag=[True, False],
                               vector=np.arange(6.0).reshape(2, 3))


def test_schema():
    schema = struct_in(made().__arrow_c_schema__(), Schema, b"arrow_schema")
    assert schema.format == b"+s"
    fields = {child.name.decode(): child for child in children(schema)}
    assert {name: f.format for name, f in fields.items()} == {
        "source_id": b"l", "name": b"U", "flag": b"b", "vector": b"+w:3", "ztf.g": b"+L"}
    (epochs,) = children(fields["ztf.g"])
    assert [(c.name, c.format) for c in children(epochs)] == [
        (b"epoch_id", b"l"), (b"mjd", b"g"), (b"mag", b"f"), (b"magerr", b"f")]
    assert metadata_of(children(epochs)[2]) == {"unit": "mag", "description": "mag"}


def test_array_without_copies():
    batch = made()
    schema, capsule = batch.__arrow_c_array__()
    array = struct_in(capsule, Array, b"arrow_array")
    assert struct_in(schema, Schema, b"arrow_schema").format == b"+s"
    assert (array.length, array.null_count, array.n_buffers) == (2, 0, 1)
    ids, name, flag, vector, curves = children(array)
    assert ids.buffers[1] == batch["source_id"].__array_interface__["data"][0]
    offsets = (ctypes.c_int64 * 3).from_address(name.buffers[1])
    assert list(offsets) == [0, 3, 8]
    assert ctypes.string_at(name.buffers[2], 8) == b"onethree"
    assert ctypes.string_at(flag.buffers[1], 1) == b"\x01"
    assert children(vector)[0].buffers[1] == batch["vector"].__array_interface__["data"][0]
    assert curves.buffers[1] == batch["ztf.g"].offsets.__array_interface__["data"][0]
    (epochs,) = children(curves)
    assert epochs.length == 3
    mag = children(epochs)[2]
    assert mag.buffers[1] == batch["ztf.g"].mag.__array_interface__["data"][0]
    del batch  # the array holds the memory
    assert list((ctypes.c_float * 3).from_address(mag.buffers[1])) == [19, 20, 21]


def test_a_struct_that_was_moved_out_is_released_by_its_receiver():
    _, capsule = made().__arrow_c_array__()
    array = struct_in(capsule, Array, b"arrow_array")
    mine = Array.from_buffer_copy(array)
    array.release = ctypes.CFUNCTYPE(None, P(Array))()
    del capsule, array
    assert list((ctypes.c_int64 * 2).from_address(children(mine)[0].buffers[1])) == [0, 1]
    mine.release(ctypes.byref(mine))
    assert not mine.release


def test_stream_gives_one_array():
    capsule = made().__arrow_c_stream__()
    stream = struct_in(capsule, Stream, b"arrow_array_stream")
    schema, array = Schema(), Array()
    assert stream.get_schema(ctypes.byref(stream), ctypes.byref(schema)) == 0
    assert schema.format == b"+s"
    schema.release(ctypes.byref(schema))
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(array)) == 0
    assert array.length == 2
    array.release(ctypes.byref(array))
    assert stream.get_next(ctypes.byref(stream), ctypes.byref(array)) == 0
    assert not array.release


def test_nulls_of_a_table_are_bits(tmp_path):
    file = tmp_path / "t.csv"
    file.write_text("source_id,n\n" + "".join(f"{i},{'' if i == 9 else i}\n" for i in range(12)))
    table = qsohost.read_table(file)
    _, capsule = table.__arrow_c_array__()
    _, numbers = children(struct_in(capsule, Array, b"arrow_array"))
    assert numbers.null_count == 1
    assert ctypes.string_at(numbers.buffers[0], 2) == bytes([0xFF, 0b1101])
    assert list(table.mask("n")) == [i != 9 for i in range(12)]
