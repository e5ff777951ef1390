"""Property tests: whatever is in a file, it is read as it should be or rejected in one line."""

import hashlib

import h5py
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness import datasets
from harness.datasets import files
from harness.datasets.registry import Task
from harness.datasets.settings import DatasetSettings, DataSettings
from harness.errors import HarnessError
from tests.datasets.generate import random_steps, write_raw
from tests.datasets.test_hdf5 import read
from tests.datasets.test_transitions import STORED, d4rl_counts, plainly

ROWS, LIMIT = 40, 7
KEYS = ("observations", "actions", "rewards", "terminals", "timeouts", "next_observations")
NUMBERS = ("f2", "f4", "f8", ">f4", "i1", "i4", "u1", "?")
FLAT = ("rewards", "terminals", "timeouts")
COMPRESSED = ("as D4RL's", "in small pieces", "shuffled", "with checksums")


def digest(transitions):
    """Short, so that a failure can be read."""
    return hashlib.sha256(transitions.tobytes()).hexdigest()[:12]


def rejected(path, function):
    """Whether there is one line that names the file in place of transitions; otherwise their digest."""
    try:
        return False, digest(function())
    except HarnessError as error:
        line = str(error)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    return True, ""


@st.composite
def contents(draw):
    """Arrays that may be missing, of any type and shape, with any values."""
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    values = {}
    odd = draw(st.sets(st.sampled_from(KEYS), max_size=2))
    for key in KEYS:
        if key in odd and draw(st.booleans()):
            continue
        rows = draw(st.sampled_from([0, 1, ROWS - 1, ROWS])) if key in odd else ROWS
        shape = (rows,) if key in FLAT else (rows, {"actions": 2}.get(key, 3))
        if key in odd:
            shape = draw(st.sampled_from([shape, (*shape, 1), (*shape, 2), (rows,), ()]))
        kinds = (*NUMBERS, "c8", "S2") if key in odd else NUMBERS
        array = generator.normal(size=shape) * draw(st.sampled_from([1.0, 100.0]))
        if key in ("terminals", "timeouts"):
            array = generator.random(shape) < draw(st.sampled_from([0, 0.2]))
        with np.errstate(invalid="ignore", over="ignore"):
            values[key] = np.asarray(array).astype(draw(st.sampled_from(kinds)))
        if values[key].dtype.kind == "f" and values[key].size and draw(st.sampled_from([False] * 9 + [True])):
            values[key].flat[draw(st.integers(0, values[key].size - 1))] = draw(
                st.sampled_from([np.nan, np.inf, -np.inf])
            )
    return values


@settings(max_examples=60, deadline=None)
@given(values=contents(), keep=st.booleans())
def test_any_file_is_read_as_it_should_be_or_rejected(tmp_path_factory, values, keep):
    path = tmp_path_factory.mktemp("any") / "any.hdf5"
    write_raw(path, values)
    data = DataSettings(timeout_steps="keep" if keep else "drop")
    no, found = rejected(path, lambda: read(path, data, LIMIT, Task("any", 3, 2, 1.0, LIMIT, "Any-v0")))
    assert no or found == digest(as_it_should_be(values, keep))


def as_it_should_be(values, keep):
    as_read = {
        key: np.asarray(array, np.float32).reshape((ROWS,) if key in FLAT else array.shape)
        for key, array in values.items()
    }
    as_read["terminals"] = as_read["terminals"] != 0
    if keep:
        columns = (as_read["observations"], as_read["actions"], as_read["rewards"][:, None])
        ends = as_read["terminals"][:, None]
        return np.concatenate([*columns, as_read["next_observations"], ends], axis=1).astype(np.float32)
    if "timeouts" in values:
        return plainly(as_read, as_read["timeouts"] != 0)
    return plainly(as_read, d4rl_counts(as_read["terminals"], LIMIT))


@st.composite
def damages(draw):
    """What happens to the bytes of a file."""
    kind = draw(st.sampled_from(["cut", "flip", "header", "blank", "swap"]))
    at, length = draw(st.floats(0, 1, exclude_max=True)), draw(st.integers(1, 3000))
    bit, byte = draw(st.integers(0, 7)), draw(st.integers(0, 255))

    def damage(whole):
        damaged = bytearray(whole)
        where = int(at * len(whole))
        end = min(len(whole), where + length)
        if kind == "cut":
            del damaged[where:]
        elif kind == "flip":
            damaged[where] ^= 1 << bit
        elif kind == "header":
            damaged[where % 4096] = byte
        elif kind == "blank":
            damaged[where:end] = bytes(end - where)
        else:
            damaged[where:end] = damaged[where:end][::-1]
        return damaged

    return damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A file for each way of storing, its copy to be damaged, and the digest of its transitions."""
    made = {}
    steps = random_steps(np.random.default_rng(0), rows=1500, next_observations=True)
    for name, options in STORED.items():
        directory = tmp_path_factory.mktemp("damaged")
        with h5py.File(directory / "whole.hdf5", "w") as file:
            for key, array in steps.items():
                chunks = (200, 2)[: array.ndim] if options.get("chunks") else None
                file.create_dataset(key, data=array, **(options | {"chunks": chunks}))
        made[name] = directory / "whole.hdf5", directory / "copy.hdf5", digest(read(directory / "whole.hdf5"))
    return made


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=damages(), stored=st.sampled_from(sorted(STORED)))
def test_damage_after_a_first_reading_gives_no_other_data(whole, tmp_path_factory, damage, stored):
    """With or without checksums, and though size and times of the file stay: its digest is remembered."""
    source, path, transitions = whole[stored]
    path.write_bytes(source.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HARNESS_CACHE_DIR", str(tmp_path_factory.mktemp("cache")))
        memory = files._memory(path, path.stat())
        patch.setattr(files, "_memory", lambda *_: memory)
        patch.setattr(files, "SETTLED_SECONDS", -1)
        assert digest(load(path, {"shift": -1})) != transitions
        path.write_bytes(damage(source.read_bytes()))
        no, found = rejected(path, lambda: load(path, "as_is"))
    assert no or found == transitions


def load(path, rewards):
    settings = DatasetSettings(name="mine", path=str(path))
    return datasets.load(settings, DataSettings(rewards=rewards)).transitions
