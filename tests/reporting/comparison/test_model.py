import json

from harness.reporting.comparison import compare_with_baseline


def test_to_json_holds_every_field_and_null_for_what_is_not_known(results):
    comparison = compare_with_baseline(results, "td3_bc")
    page = json.loads(comparison.to_json())
    assert page["score"] == "final"
    assert page["sides"] == ["TD3+BC", "Variant"]
    first = page["differences"][0]
    assert first["difference"] == comparison.differences[0].difference
    assert first["equivalence"] is None
    assert {"variant", "dataset", "interval", "t_test", "bootstrap", "verdict"} <= set(first)
