"""The one rule for ends of episodes, on data whose true ends are known."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from harness.datasets.episode_ends import find_episode_ends
from harness.errors import HarnessError

CASES = Path(__file__).parent / "cases"
LIMIT = 20


def rollout(lengths, limit=LIMIT, seed=0):
    """Episodes of the given lengths; one that reaches the limit is cut, a shorter one ends in a terminal."""
    generator = np.random.default_rng(seed)
    parts = [generator.normal(size=(length + 1, 2)).astype(np.float32) for length in lengths]
    ends = np.cumsum(lengths) - 1
    terminals, timeouts = np.zeros(sum(lengths), bool), np.zeros(sum(lengths), bool)
    terminals[ends[np.array(lengths) < limit]] = True
    timeouts[ends[np.array(lengths) >= limit]] = True
    return {
        "observations": np.concatenate([part[:-1] for part in parts]),
        "next_observations": np.concatenate([part[1:] for part in parts]),
        "terminals": terminals,
        "timeouts": timeouts,
    }


LENGTHS = (20, 7, 20, 13, 20, 20, 4)


def arrays(marks, stored=("observations", "next_observations")):
    """The rollout with its ends marked by `marks(terminals, timeouts)`."""
    values = rollout(LENGTHS)
    return {key: values[key] for key in stored} | marks(values["terminals"], values["timeouts"])


MARKS = {
    "terminals and timeouts": lambda t, c: {"terminals": t, "timeouts": c},
    "gymnasium": lambda t, c: {"terminated": t, "truncated": c},
    "vectorised gymnasium": lambda t, c: {"terminations": t, "truncations": c},
    "rllib": lambda t, c: {"terminateds": t, "truncateds": c},
    "timeouts mark every end": lambda t, c: {"terminals": t, "timeouts": t | c},
    "numbers": lambda t, c: {"terminals": t.astype(np.float32)[:, None], "timeouts": c.astype(np.uint8)},
    "d3rlpy v1": lambda t, c: {"terminals": t, "episode_terminals": (t | c).astype(np.float32)},
    "ends as flags": lambda t, c: {"terminals": t, "episode_ends": t | c},
    "row numbers after ends": lambda t, c: {"terminals": t, "episode_ends": np.flatnonzero(t | c) + 1},
    "row numbers of ends": lambda t, c: {"terminals": t, "episode_ends": np.flatnonzero(t | c)},
    "terminals and dones": lambda t, c: {"terminals": t, "dones": t | c},
    "dones alone": lambda t, c: {"dones": t | c},
    "dones as terminals": lambda t, c: {"terminals": t | c},
    "dones with timeouts": lambda t, c: {"dones": t | c, "timeouts": c},
    "dones without time limits": lambda t, c: {"dones": t, "timeouts": c},
    "dones, timeouts at every end": lambda t, c: {"dones": t | c, "timeouts": t | c},
    "terminals alone": lambda t, c: {"terminals": t},
    "timeouts never set": lambda t, c: {"terminals": t, "timeouts": np.zeros_like(c)},
}
WITHOUT_LIMIT = (
    "terminals and timeouts", "gymnasium", "vectorised gymnasium", "rllib", "timeouts mark every end",
    "numbers", "d3rlpy v1", "ends as flags", "row numbers after ends", "row numbers of ends",
    "terminals and dones", "dones with timeouts", "dones without time limits",
)  # fmt: skip


@pytest.mark.parametrize("stored", [("observations",), ("observations", "next_observations")])
@pytest.mark.parametrize("name", MARKS)
def test_find_episode_ends_under_any_names_gives_the_true_ends(name, stored):
    truth = rollout(LENGTHS)
    found = find_episode_ends(arrays(MARKS[name], stored), LIMIT, source="x")
    assert np.array_equal(found.terminals, truth["terminals"])
    assert np.array_equal(found.timeouts, truth["timeouts"])
    assert np.array_equal(found.last, truth["terminals"] | truth["timeouts"])
    assert found.ordered
    assert found.complete.all() == (len(stored) == 2)


@pytest.mark.parametrize("name", WITHOUT_LIMIT)
def test_find_episode_ends_without_a_step_limit_gives_the_true_ends_where_they_are_marked(name):
    truth = rollout(LENGTHS)
    found = find_episode_ends(arrays(MARKS[name], ("observations",)), None, source="x")
    assert np.array_equal(found.terminals, truth["terminals"])
    assert np.array_equal(found.timeouts, truth["timeouts"])


@pytest.mark.parametrize("name", ["dones alone", "dones as terminals", "dones with timeouts"])
def test_find_episode_ends_of_reinterpreted_terminals_says_so(name):
    (note,) = find_episode_ends(arrays(MARKS[name]), LIMIT, source="x").notes
    marked = "terminals" if "as terminals" in name else "dones"
    assert note.startswith(f"4 of 7 steps that {marked} marks are time limits")
    assert "data.time_limits=terminal" in note


@pytest.mark.parametrize("name", ["dones alone", "dones as terminals", "dones, timeouts at every end"])
def test_find_episode_ends_of_a_task_that_only_times_out_gives_no_terminals(name):
    values = rollout([LIMIT] * 5)
    marks = MARKS[name](values["terminals"], values["timeouts"])
    found = find_episode_ends({"observations": values["observations"]} | marks, LIMIT, source="x")
    assert not found.terminals.any()
    assert np.array_equal(found.timeouts, values["timeouts"])


def test_find_episode_ends_of_terminals_at_the_limit_beside_other_timeouts_keeps_them():
    values = rollout(LENGTHS)
    terminals = values["terminals"].copy()
    terminals[19] = True
    marked = {"observations": values["observations"], "terminals": terminals, "timeouts": values["timeouts"]}
    found = find_episode_ends(marked, LIMIT, source="x")
    assert np.array_equal(found.terminals, terminals)
    assert found.timeouts.sum() == 3
    assert found.notes == ()


@pytest.mark.parametrize("timeouts", ["every end", "none"])
def test_find_episode_ends_of_terminals_with_recorded_timeouts_keeps_one_at_the_limit(timeouts):
    """As gymnasium gives both at the limit; and what an import of that has written is read alike."""
    values = rollout([7, 20, 13])
    terminals = values["terminals"] | values["timeouts"]
    recorded = terminals if timeouts == "every end" else np.zeros_like(terminals)
    marked = {"observations": values["observations"], "terminals": terminals, "timeouts": recorded}
    found = find_episode_ends(marked, LIMIT, source="x")
    assert np.array_equal(found.terminals, terminals)
    assert not found.timeouts.any()


@pytest.mark.parametrize(("name", "others"), [("dones", ()), ("terminals", ()), ("dones", ("timeouts",))])
def test_find_episode_ends_with_an_unfinished_episode_finds_the_time_limits(name, others):
    values = rollout(LENGTHS)
    terminals, timeouts = values["terminals"], values["timeouts"]
    dones = (terminals | timeouts) & (np.arange(len(terminals)) != len(terminals) - 1)
    marks = {name: dones, "episode_ends": terminals | timeouts} | dict.fromkeys(others, timeouts)
    found = find_episode_ends({"observations": values["observations"]} | marks, LIMIT, source="x")
    assert np.array_equal(found.terminals, terminals & dones)
    assert np.array_equal(found.timeouts, timeouts | (terminals & ~dones))
    assert found.notes[0].startswith(f"4 of 6 steps that {name} marks are time limits")


def test_find_episode_ends_of_dones_of_several_unfinished_runs_finds_the_time_limits():
    values = rollout([LIMIT, LIMIT, 12, LIMIT, 7, LIMIT, 5])
    dones = values["terminals"] | values["timeouts"]
    dones[[51, 103]] = False
    found = find_episode_ends(
        {key: values[key] for key in ("observations", "next_observations")} | {"dones": dones},
        LIMIT,
        source="x",
    )
    assert np.flatnonzero(found.terminals).tolist() == [78]
    assert np.array_equal(found.timeouts, values["timeouts"])
    assert np.array_equal(found.last[:-1], (values["terminals"] | values["timeouts"])[:-1])


@pytest.mark.parametrize("how", ["permuted", "interleaved", "every third row"])
def test_find_episode_ends_of_rows_in_no_order_uses_every_transition(how):
    values = rollout([LIMIT, 7, LIMIT, 11] * 10)
    count = len(values["terminals"])
    rows = {
        "permuted": np.random.default_rng(0).permutation(count),
        "interleaved": np.arange(count // 4 * 4).reshape(4, -1).T.reshape(-1),
        "every third row": np.arange(0, count, 3),
    }[how]
    found = find_episode_ends({key: array[rows] for key, array in values.items()}, LIMIT, source="x")
    assert not found.ordered
    assert found.complete.all()
    assert not found.last.any()
    assert np.array_equal(found.terminals, values["terminals"][rows])
    assert np.array_equal(found.timeouts, values["timeouts"][rows])
    assert "not in chronological order: every transition is used" in found.notes[0]
    assert len(found.notes) == 1


@pytest.mark.parametrize("others", [(), ("truncated",)])
def test_find_episode_ends_of_dones_in_no_order_says_that_time_limits_are_unknown(others):
    values = rollout([LIMIT] * 40)
    rows = np.random.default_rng(0).permutation(len(values["timeouts"]))
    kept = {key: values[key][rows] for key in ("observations", "next_observations")}
    dones = values["timeouts"][rows]
    found = find_episode_ends(kept | {"dones": dones} | dict.fromkeys(others, dones), LIMIT, source="x")
    assert found.terminals.sum() == 40
    assert found.notes[1].startswith("dones may include time limits, which are unknown without chronological")


@given(st.integers(0, 2**32 - 1), st.lists(st.integers(1, 30), min_size=1, max_size=12))
@settings(max_examples=50, deadline=None)
def test_find_episode_ends_with_next_observations_needs_no_marks_to_see_a_reset(seed, lengths):
    lengths = [30 + length for length in lengths]
    values = rollout(lengths, limit=100, seed=seed)
    values["terminals"][:] = False
    del values["timeouts"]
    found = find_episode_ends(values, None, source="x")
    assert found.ordered
    assert np.flatnonzero(found.last).tolist() == (np.cumsum(lengths) - 1)[:-1].tolist()
    assert not found.timeouts.any()
    assert found.complete.all()


def test_find_episode_ends_of_shifted_observations_takes_no_next_episode_for_a_successor():
    values = rollout(LENGTHS)
    values["next_observations"] = np.roll(values["observations"], -1, axis=0)
    found = find_episode_ends(values, LIMIT, source="x")
    assert np.array_equal(found.last, values["terminals"] | values["timeouts"])
    assert not found.complete[found.last].any()


def test_find_episode_ends_of_terminals_only_counts_from_the_last_end():
    values = rollout([7, 20, 20, 3])
    marked = {"observations": values["observations"], "terminals": values["terminals"]}
    found = find_episode_ends(marked, LIMIT, source="x")
    assert np.flatnonzero(found.timeouts).tolist() == [26, 46]


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({}, "x: no array marks terminals .* the arrays are observations$"),
        ({"terminals": np.zeros(9)}, r"x: terminals has shape \(9,\) .* for each of the 10 steps$"),
        ({"terminals": np.full(10, 2)}, "x: terminals has .* values from 0 to 2; store 0 or 1 for each"),
        (
            {"terminals": np.zeros(10), "truncated": np.linspace(-1, 0, 10)},
            "truncated .* from -1 to 0; store 0",
        ),
        (
            {"terminals": np.zeros(10), "episode_ends": np.array([7, 3])},
            "or the increasing row numbers of all ends",
        ),
        (
            {"terminals": np.zeros(10)},
            "x: nothing marks where episodes are truncated .*environment: GYMNASIUM-ID",
        ),
    ],
)
def test_find_episode_ends_that_nothing_marks_is_rejected(marks, said):
    with pytest.raises(HarnessError, match=said):
        find_episode_ends({"observations": np.zeros((10, 2))} | marks, None, source="x")


def test_find_episode_ends_of_the_case_with_timeouts_at_every_end_keeps_all_terminals():
    with h5py.File(CASES / "ends_as_timeouts.hdf5") as file:
        found = find_episode_ends({key: file[key][:] for key in file}, LIMIT, source="x")
    assert (found.terminals.sum(), found.timeouts.sum()) == (152, 0)


def test_find_episode_ends_of_the_case_with_dones_only_gives_no_terminals():
    with np.load(CASES / "dones_only.npz") as file:
        found = find_episode_ends(dict(file), LIMIT, source="x")
    assert (found.terminals.sum(), found.timeouts.sum()) == (0, 50)
    assert "50 of 50 steps that dones marks are time limits" in found.notes[0]


def test_find_episode_ends_of_the_shuffled_case_is_without_order():
    with np.load(CASES / "shuffled.npz") as file:
        found = find_episode_ends(dict(file), LIMIT, source="x")
    assert (found.complete.sum(), found.terminals.sum(), found.ordered) == (1000, 0, False)
