import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness import safe_yaml
from harness.errors import HarnessError

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXT, inner, max_size=4),
    max_leaves=10,
)


@given(VALUES)
def test_dump_then_read_returns_the_same_value(value):
    assert safe_yaml.read(safe_yaml.dump(value), "x.yaml") == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("off", "off"),
        ("no", "no"),
        ("false", False),
        ("1e6", 1e6),
        ("1_000", 1000),
        ("1:30", "1:30"),
        ("010", 10),
        ("2020-13-45", "2020-13-45"),
        ("~", None),
    ],
)
def test_read_of_scalars_follows_yaml_1_2(text, value):
    read = safe_yaml.read(text, "x.yaml")
    assert (read, type(read)) == (value, type(value))


def bomb(first, level):
    return first + "".join(
        f"b{i}: &a{i} {level.format(', '.join([f'*a{i - 1}'] * 9))}\n" for i in range(1, 20)
    )


@pytest.mark.parametrize(
    "text",
    [bomb("a: &a0 [x, x]\n", "[{}]"), bomb("a: &a0 {x: 1}\n", "{{<<: [{}]}}")],
    ids=["sequences", "merges"],
)
@pytest.mark.timeout(5)
def test_read_of_aliases_that_expand_to_billions_of_values_raises(text):
    with pytest.raises(HarnessError, match="aliases expand to more than 1,000,000 values"):
        safe_yaml.read(text, "x.yaml")


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: &a {b: {c: *a}}"])
def test_read_of_a_recursive_alias_raises(text):
    with pytest.raises(HarnessError, match="or an alias refers to a value that contains it"):
        safe_yaml.read(text, "x.yaml")


def test_read_expands_aliases():
    assert safe_yaml.read("a: &a [1]\nb: [*a, *a]", "x.yaml") == {"a": [1], "b": [[1], [1]]}


def test_read_of_two_documents_raises_one_line():
    with pytest.raises(
        HarnessError,
        match=r"^x.yaml, line 2: not valid YAML .expected a single document",
    ):
        safe_yaml.read("--- a\n--- b", "x.yaml")


@pytest.mark.parametrize("text", ["a:\n\tb: 1", "a:\n  b: 1\n\tc: 2", "a:\t1: 2"])
def test_read_of_a_tab_in_the_indentation_asks_for_spaces(text):
    with pytest.raises(HarnessError, match="it has a tab where YAML requires spaces"):
        safe_yaml.read(text, "x.yaml")
