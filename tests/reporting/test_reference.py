"""The committed reference results are what today's code makes of their evaluations."""

from pathlib import Path

import pytest

from harness.commands.results import load_selected
from harness.reporting.catalogue import TABLE_SUFFIXES
from harness.reporting.tables import FORMATS, make_table

ROOT = Path(__file__).parents[2]
REFERENCE = sorted(path.name for path in (ROOT / "results" / "reference").iterdir() if path.name != "bench")
"""Every run; the bench has no evaluations."""


@pytest.mark.parametrize("name", REFERENCE)
@pytest.mark.parametrize("table", ["scores", "seeds"])
def test_tables(name, table):
    folder = ROOT / "results" / "reference" / name
    made = make_table(table, load_selected(str(folder), "best", "final"), "final")
    for file_format in ("markdown", "latex"):  # as shown: the last digits of CSV are the machine's
        committed = folder / "tables" / f"{table}{TABLE_SUFFIXES[file_format]}"
        assert committed.read_text(encoding="utf-8") == FORMATS[file_format](made)


def test_readme_shows_the_tables_of_scores():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    hopper, pendulum = (
        (ROOT / "results" / "reference" / name / "tables" / "scores.md").read_text(encoding="utf-8").rstrip()
        for name in ("hopper", "pendulum")
    )
    assert hopper.partition("\n\n**bold**")[0] in readme, "the legend of the other table explains it"
    assert pendulum in readme
