from itertools import pairwise

import pytest

from harness.environments import antmaze, maze2d, mazes

ALL = {**maze2d.MAZES, **{f"ant-{name}": maze for name, maze in antmaze.MAZES.items()}}


@pytest.mark.parametrize("maze", ALL.values(), ids=ALL)
def test_maze_is_a_walled_rectangle_with_one_goal(maze):
    rows, columns = (size + 1 for size in max(maze.walls))
    cells = {(row, column) for row in range(rows) for column in range(columns)}
    assert sorted([*maze.walls, *maze.free]) == sorted(cells)
    assert maze.goal in maze.free
    border = cells - {(row, column) for row in range(1, rows - 1) for column in range(1, columns - 1)}
    assert border <= set(maze.walls)


@pytest.mark.parametrize("maze", ALL.values(), ids=ALL)
def test_path_from_every_free_cell_reaches_the_goal_through_free_cells(maze):
    for start in maze.free:
        path = [start, *maze.path(start, maze.goal)]
        assert path[-1] == maze.goal
        assert set(path) <= set(maze.free)
        assert all(abs(a[0] - b[0]) + abs(a[1] - b[1]) == 1 for a, b in pairwise(path))


def test_path_returns_a_shortest_path():
    assert len(mazes.UMAZE.path((3, 1), (1, 1))) == 6
    assert mazes.UMAZE.path((1, 1), (1, 1)) == []
