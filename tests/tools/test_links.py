import pytest

from tools.docs import links

HERE = links.DOCS / "algorithms" / "iql.md"


def rewritten(markdown, outside=None):
    return links.rewritten(markdown, HERE, "algorithms/iql.md", outside or {})


@pytest.mark.parametrize(
    ("given", "on_the_site"),
    [
        ("[data](../data.md)", "[data](../data.md)"),
        ("[rule](../data.md#settings)", "[rule](../data.md#settings)"),
        ("[all](../algorithms)", "[all](index.md)"),
        ("[paper](https://arxiv.org/abs/2110.06169)", "[paper](https://arxiv.org/abs/2110.06169)"),
        ("[above](#equations)", "[above](#equations)"),
        ("`[code](../../README.md)`", "`[code](../../README.md)`"),
        ("```\n[code](../../README.md)\n```", "```\n[code](../../README.md)\n```"),
    ],
)
def test_rewritten_of_links_within_the_documentation_keeps_them_relative(given, on_the_site):
    assert rewritten(given) == on_the_site


@pytest.mark.parametrize(
    ("target", "kind"), [("harness/algorithms/iql.py", "blob"), ("harness/algorithms", "tree")]
)
def test_rewritten_of_a_link_to_the_code_points_to_the_repository(target, kind):
    assert rewritten(f"[x](../../{target})") == f"[x]({links.repository()}/{kind}/main/{target})"


def test_rewritten_of_a_file_at_another_place_of_the_site_points_there():
    outside = {links.ROOT / "CONTRIBUTING.md": "contributing.md"}
    assert rewritten("[c](../../CONTRIBUTING.md#style)", outside) == "[c](../contributing.md#style)"


def test_images_outside_finds_only_images_of_other_folders():
    page = "![a](../../results/a.png) ![b](../images/b.svg) [c](../../results/c.png)"
    assert links.images_outside(page, HERE) == [links.ROOT / "results" / "a.png"]
