"""The page on the results directory explains every column."""

from __future__ import annotations

import pytest

from harness.columns import COLUMNS
from tests.docs import pages

PAGE = (pages.ROOT / "docs" / "results-directory.md").read_text()


@pytest.mark.parametrize("column", COLUMNS)
def test_page_explains_column(column: str) -> None:
    rows = [line.partition("|")[2].partition("|")[0] for line in PAGE.splitlines() if line.startswith("| `")]
    assert any(f"`{column}`" in row for row in rows)
