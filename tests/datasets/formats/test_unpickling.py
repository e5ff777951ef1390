import io
import pickle
import subprocess
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from harness.datasets.formats import Source, read, unpickling
from harness.datasets.formats.unpickling import Opaque
from harness.errors import HarnessError

NUMBERS = arrays.arrays(
    arrays.scalar_dtypes().filter(lambda dtype: dtype.kind in "fiub"),
    arrays.array_shapes(min_dims=0, min_side=0, max_dims=3, max_side=4),
)


def load(content):
    return unpickling.load(io.BytesIO(content))


@given(NUMBERS, st.integers(0, pickle.HIGHEST_PROTOCOL), st.booleans())
def test_arrays_of_any_number_type_order_and_protocol_are_read(array, protocol, fortran):
    array = np.asfortranarray(array) if fortran else array
    read_back = load(pickle.dumps([array, {"twice": array}], protocol))
    for found in (read_back[0], read_back[1]["twice"]):
        native = array.astype(array.dtype.newbyteorder("="))
        assert (found.dtype.newbyteorder("="), found.shape) == (native.dtype, array.shape)
        assert found.astype(native.dtype).tobytes() == native.tobytes()


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_plain_values_and_numpy_scalars_are_read(protocol):
    value = {
        "a": [1, 2.5, None, True, "é", b"x"],
        "b": (np.float32(1.5), np.bool_(True)),
        "c": OrderedDict(d=1),
    }
    assert load(pickle.dumps(value, protocol)) == value


def test_an_array_of_objects_is_read_as_a_list():
    assert load(pickle.dumps(np.array([{"a": 1}, {"b": 2}], object))) == [{"a": 1}, {"b": 2}]


def test_a_pickle_of_python_2_is_read():
    """Protocol 2 of Python 2: text and the bytes of arrays are both its `str`."""
    content = (
        b"\x80\x02}q\x01U\x07rewardsq\x02cnumpy.core.multiarray\n_reconstruct\nq\x03cnumpy\nndarray\nq\x04K\x00\x85"
        b"U\x01b\x87Rq\x05(K\x01K\x02\x85cnumpy\ndtype\nq\x06U\x02f4K\x00K\x01\x87Rq\x07(K\x03U\x01<NNNJ\xff\xff\xff"
        b"\xffJ\xff\xff\xff\xffK\x00tb\x89U\x08\x00\x00\x80\x3f\x00\x00\x20\xc0tbs."
    )
    assert load(content)["rewards"].tolist() == [1.0, -2.5]


class Call:
    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_pickle_that_calls_anything_is_rejected_and_nothing_is_called(tmp_path, protocol):
    mark = tmp_path / "called"
    for call in (
        Call(open, str(mark), "w"),
        Call(subprocess.call, ["touch", str(mark)]),
        Call(eval, f"open({mark})"),
    ):
        (tmp_path / "data.pkl").write_bytes(pickle.dumps([{"observations": call}], protocol))
        with pytest.raises(
            HarnessError, match=r"cannot be read safely: it contains \S+, and only plain values"
        ):
            read(Source(tmp_path / "data.pkl"))
        assert not mark.exists()


def test_names_inside_allowed_modules_lead_to_no_code():
    """Dotted names must not reach what an allowed class or module holds."""
    for module, name in (("numpy", "ndarray.__init__.__globals__"), ("collections", "OrderedDict.fromkeys")):
        content = b"\x80\x04" + pickle.SHORT_BINUNICODE + bytes([len(module)]) + module.encode()
        content += pickle.SHORT_BINUNICODE + bytes([len(name)]) + name.encode() + pickle.STACK_GLOBAL + b"."
        with pytest.raises(pickle.UnpicklingError, match="it contains"):
            load(content)


def test_objects_of_libraries_are_opaque_and_their_code_is_not_run():
    value = load(b"\x80\x02cgymnasium\nmake\nX\x05\x00\x00\x00CartP\x85R.")
    assert isinstance(value, Opaque)
    assert value.origin == "gymnasium.make"


def test_a_dtype_with_crafted_flags_is_only_its_numbers():
    """numpy would believe that the bytes of such an array are pointers."""
    content = (
        b"\x80\x02cnumpy._core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\x00\x85X\x01\x00\x00\x00b\x87R(K\x01K\x01"
        b"\x85cnumpy\ndtype\nX\x02\x00\x00\x00O8K\x00K\x01\x87R(K\x03X\x01\x00\x00\x00|NNNJ\xff\xff\xff\xffJ\xff\xff"
        b"\xff\xffK\x00tb\x89B\x08\x00\x00\x00AAAAAAAAtb."
    )
    with pytest.raises(pickle.UnpicklingError, match="an array of O8, not of numbers"):
        load(content)
