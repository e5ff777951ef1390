from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.storage.checksummed_json import DamagedError, dumps, loads

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=10,
)


@settings(max_examples=30)
@given(st.dictionaries(st.text(), VALUES))
def test_loads_of_dumped_content_is_bit_identical(content: dict) -> None:
    assert loads(dumps(content)) == content


@given(st.data())
def test_any_changed_or_lost_byte_is_noticed(data: st.DataObject) -> None:
    whole = dumps({"rows": [{"return_mean": -123.456, "step": 5}], "name": "x"}).rstrip()
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from(
            [whole[:position], whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]]
        )
    )
    with pytest.raises(DamagedError):
        loads(damaged)


def test_numbers_that_are_not_finite_are_written_as_text_that_float_reads() -> None:
    data = dumps({"a": math.nan, "b": [math.inf, -math.inf], "c": 1.5})
    json.loads(data, parse_constant=pytest.fail)
    assert loads(data) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": 1.5}
    assert [float(text) for text in ("Infinity", "-Infinity")] == [math.inf, -math.inf]
    assert math.isnan(float("NaN"))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"sha256":1,"content":{}}'])
def test_other_files_are_no_sealed_ones(data: bytes) -> None:
    with pytest.raises(DamagedError):
        loads(data)
