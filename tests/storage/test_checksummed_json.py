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
def test_loads_returns_what_dumps_was_given(content: dict) -> None:
    assert loads(dumps(content)) == content


@given(st.data())
def test_loads_of_changed_or_lost_bytes_raises(data: st.DataObject) -> None:
    whole = dumps({"rows": [{"return_mean": -123.456, "step": 5}], "name": "x"}).rstrip()
    position = data.draw(st.integers(0, len(whole) - 1))
    damaged = data.draw(
        st.sampled_from(
            [whole[:position], whole[:position] + bytes([whole[position] ^ 1]) + whole[position + 1 :]]
        )
    )
    with pytest.raises(DamagedError):
        loads(damaged)


def test_dumps_writes_non_finite_numbers_as_text() -> None:
    data = dumps({"a": math.nan, "b": [math.inf, -math.inf], "c": 1.5})
    json.loads(data, parse_constant=pytest.fail)
    assert loads(data) == {"a": "NaN", "b": ["Infinity", "-Infinity"], "c": 1.5}
    assert [float(text) for text in ("Infinity", "-Infinity")] == [math.inf, -math.inf]
    assert math.isnan(float("NaN"))


@pytest.mark.parametrize("data", [b"", b"[]", b"null", b"{}", b"\xff\xfe", b'{"sha256":1,"content":{}}'])
def test_loads_of_other_files_raises(data: bytes) -> None:
    with pytest.raises(DamagedError):
        loads(data)
