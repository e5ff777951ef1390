"""Tests of the parts of the documentation that are generated from the package."""

import re

import pytest
from pydantic import BaseModel

from harness import cli
from harness.algorithms.registry import BUILT_IN, hyperparameters_class
from harness.experiment import Experiment
from tools.docs import command_line, hooks, links, settings_tables


def test_command_line_lists_each_verb_with_its_options():
    text = command_line.reference()
    for verb in cli.VERBS:
        assert f"### `harness {verb}` {{ #harness-{verb} }}" in text
    assert "### `harness data import`" in text
    assert "<code>--seeds N&#124;LIST</code>" in text
    assert "--debug" not in text
    assert "\b" not in text


def test_experiment_file_has_a_heading_for_each_key():
    text = settings_tables.experiment_file()
    for key in Experiment.model_fields:
        assert f"\n### `{key}` {{ #{key} }}\n" in text
    assert "### `training.gradient_steps`" in text
    assert "*whole number ≥ 1; default `" in text
    for section in re.findall(r"\[Its keys\]\(#(section-[\w.]+)\)", text):
        assert f"{{ #{section} }}" in text


@pytest.mark.parametrize("name", BUILT_IN)
def test_algorithm_has_a_row_for_each_hyperparameter(name):
    rows = re.findall(r"^\| `(\w+)` \|", settings_tables.algorithm(name), flags=re.MULTILINE)
    assert {*rows, "algorithm"} == set(hyperparameters_class(name).model_fields)
    assert f"[{BUILT_IN[name].title}]({name}.md)" in settings_tables.algorithms()


def test_algorithm_lists_its_own_hyperparameters_before_common_ones():
    table = settings_tables.algorithm("iql")
    assert table.index("`expectile`") < table.index("`gradient_norm_clip`")


class Fields(BaseModel):
    choice: str | None = None
    shares: dict[str, float] = {}
    sizes: tuple[int, ...] = ()


@pytest.mark.parametrize(
    ("field", "words"),
    [
        ("choice", "text or null"),
        ("shares", "mapping of names to number"),
        ("sizes", "list of whole number"),
    ],
)
def test_values_describes_the_values_of_a_field(field, words):
    assert settings_tables.values(Fields.model_json_schema()["properties"][field]) == words


def test_every_marker_on_a_page_is_generated():
    pages = [*links.DOCS.rglob("*.md")]
    markers = [found for page in pages for found in hooks.MARKER.finditer(page.read_text(encoding="utf-8"))]
    assert len(markers) > 5
    for marker in markers:
        assert "|" in hooks.generate(marker["what"], marker["name"]), marker[0]


def test_generate_of_an_unknown_part_raises():
    with pytest.raises(KeyError, match="nothing"):
        hooks.generate("nothing", None)


def test_equations_become_mathml():
    equations = pytest.importorskip("tools.docs.equations")
    page = r'<p>of <span class="arithmatex">\(a &lt; b\)</span></p>'
    assert equations.inline(page).startswith("<p>of <math")
    assert "<mo>&#x0003C;</mo>" in equations.inline(page)
    displayed = equations.fence("\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}\n")
    assert displayed.count("<mtr") == 2
