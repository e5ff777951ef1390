from harness.storage.differences import differences


def test_differences_returns_at_most_five_paths() -> None:
    assert differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "d": 4}) == [
        "a.b: 1 -> 3",
        "c: 2 -> nothing",
        "d: nothing -> 4",
    ]
    assert differences({"a": [1, 2]}, {"a": [1, 2]}) == []
    assert differences({"a": [1, 2]}, {"a": [1]}) == ["a: [1, 2] -> [1]"]
    before, after = ({"a": [{"name": "x" * 70, "environment": name}]} for name in "AB")
    assert differences(before, after) == ['a.0.environment: "A" -> "B"']
    assert differences(before, {"a": [*before["a"], {"name": "y"}]}) == ['a.1: nothing -> {"name": "y"}']
    many = {str(number): number for number in range(9)}
    assert len(differences(many, {})) == 6
