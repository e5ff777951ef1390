from harness.storage.differences import differences


def test_differences_name_paths_with_both_values() -> None:
    assert differences({"a": {"b": 1}, "c": 2}, {"a": {"b": 3}, "d": 4}) == [
        "a.b: 1 -> 3",
        "c: 2 -> nothing",
        "d: nothing -> 4",
    ]
    assert differences({"a": [1, 2]}, {"a": [1, 2]}) == []
    assert differences({"a": [1, 2]}, {"a": [1]}) == ["a: [1, 2] -> [1]"]


def test_differences_of_lists_compare_items_of_the_same_name() -> None:
    old = {"a": [{"name": "x" * 70, "size": 1}, {"name": "y", "size": 1}]}
    assert differences(old, {"a": [{"name": "y", "size": 2}, {"name": "z"}]}) == [
        f"a.{'x' * 70}: removed",
        "a.y.size: 1 -> 2",
        "a.z: added",
    ]


def test_differences_beyond_the_fifth_are_counted() -> None:
    many = {str(number): number for number in range(9)}
    assert differences(many, {})[4:] == ["4: 4 -> nothing", "and 4 more"]
