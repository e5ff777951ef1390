"""`harness select`, as a person calls it."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from harness.cli import main
from tests.reporting.selection import make


def test_select_prints_the_sample_for_each_dataset_and_all(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = str(make.write(tmp_path))
    assert main(["select", folder, "--by", "fqe"]) == 0
    output = capsys.readouterr().out
    assert "All datasets, TD3+BC" in output
    assert "Samples selected by fqe, from data alone" in output
    arguments = [
        "select",
        folder,
        "--by",
        "final",
        "--only",
        f"dataset={make.DATASETS[0]}",
        "--top",
        "2",
        "--json",
    ]
    assert main(arguments) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert row["selected"] == ["td3_bc@alpha=8.0", "td3_bc@alpha=4.0"]
    assert row["samples"] == 5


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--by", "fqe", "--only", "dataset=pendulum-mediun-v0"], "did you mean pendulum-medium-v0"),
        (["--by", "fqe", "--top", "9"], "--top 9: td3_bc has 5 finished samples"),
    ],
)
def test_select_of_what_is_not_there_says_so_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    assert main(["select", str(make.write(tmp_path)), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_status_says_how_many_policies_have_an_estimate() -> None:
    from rich.console import Console

    from harness.storage.estimates import SelectionProgress
    from harness.storage.progress import Progress
    from harness.tuning.status_view import as_dict, view

    progress = Progress([], None, SelectionProgress("fqe", 3, [], []))
    console = Console(width=100, record=True, file=io.StringIO())
    console.print(view(progress, "results/x", console))
    assert "fqe: 3 of 3 policies of finished trials have an estimate" in console.export_text()
    assert as_dict(progress)["selection"] == {"method": "fqe", "done": 3, "missing": 0, "without_policy": 0}
