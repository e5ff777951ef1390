import csv
import io
import json

from harness.reporting.comparison import compare_with_baseline
from harness.reporting.tables import FORMATS
from harness.reporting.tables.comparison import comparison_table


def test_comparison_is_written_with_names_for_programs_and_titles_for_people(results):
    comparison = compare_with_baseline(results, "td3_bc", margin=5)
    table = comparison_table(comparison)
    page = json.loads(FORMATS["json"](table))
    assert (page["margin"], page["paired"], page["score"]) == (5, True, "final")
    first = page["rows"][0]
    assert first["variant, dataset"] == f"td3, {results.datasets[0]}"
    assert first["cells"]["difference"]["value"] == comparison.differences[0].difference
    assert first["cells"]["verdict"]["value"] == "worse"
    (row, *_) = csv.DictReader(io.StringIO(FORMATS["csv"](table)))
    assert float(row["difference low"]) == comparison.differences[0].interval[0]
    assert "TD3, Pendulum random" in FORMATS["markdown"](table)
