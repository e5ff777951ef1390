import numpy as np

from harness.datasets.description import Description


def test_text_of_returns_between_zero_and_one_has_distinct_edges():
    lines = Description("mazes", {"steps": "9"}, np.array([0.0, 0.0, 1.0])).text().splitlines()
    edges = [line.split()[0] for line in lines if " to " in line]
    assert (edges[0], edges[-1]) == ("0.000", "0.917")
    assert len(set(edges)) == len(edges) == 12
