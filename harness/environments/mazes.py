"""Floor plans of D4RL's Maze2D and AntMaze (arXiv 2004.07219; d4rl 1.1, maze_model.py and maze_env.py)."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

Cell: TypeAlias = tuple[int, int]
"""Row and column, from 0 at the top left."""

WALL, GOAL = "#", "G"


@dataclass(frozen=True)
class Maze:
    """A grid of cells, each a wall or free, with one goal among the free ones."""

    rows: tuple[str, ...]
    """One character for each cell: `#` is a wall, `G` the goal, anything else free."""

    @cached_property
    def walls(self) -> tuple[Cell, ...]:
        """Return the cells that are walls, row by row."""
        return tuple(cell for cell, kind in self._cells() if kind == WALL)

    @cached_property
    def free(self) -> tuple[Cell, ...]:
        """Return the cells that are not walls, including the goal, row by row."""
        return tuple(cell for cell, kind in self._cells() if kind != WALL)

    @cached_property
    def goal(self) -> Cell:
        """Return the cell of the goal."""
        return next(cell for cell, kind in self._cells() if kind == GOAL)

    def path(self, start: Cell, goal: Cell) -> list[Cell]:
        """Return the cells of a shortest path, excluding the start and including the goal.

        Raises:
            ValueError: if no free cells connect the two.
        """
        came_from, queue = {goal: goal}, deque([goal])
        while queue:
            cell = queue.popleft()
            if cell == start:
                break
            for row, column in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                neighbour = (cell[0] + row, cell[1] + column)
                if neighbour in self._free_set and neighbour not in came_from:
                    came_from[neighbour] = cell
                    queue.append(neighbour)
        if start not in came_from:
            raise ValueError(f"no path from cell {start} to cell {goal}")
        path = []
        while start != goal:
            start = came_from[start]
            path.append(start)
        return path

    @cached_property
    def _free_set(self) -> frozenset[Cell]:
        return frozenset(self.free)

    def _cells(self) -> Iterator[tuple[Cell, str]]:
        for row, line in enumerate(self.rows):
            for column, kind in enumerate(line):
                yield (row, column), kind


def _maze(plan: str) -> Maze:
    return Maze(tuple(plan.split()))


OPEN = _maze("""
    #######
    #.....#
    #..G..#
    #.....#
    #######
""")
UMAZE = _maze("""
    #####
    #G..#
    ###.#
    #...#
    #####
""")
UMAZE_EVAL = _maze("""
    #####
    #..G#
    #.###
    #...#
    #####
""")
UMAZE_ANT = _maze("""
    #####
    #...#
    ###.#
    #G..#
    #####
""")
MEDIUM = _maze("""
    ########
    #..##..#
    #..#...#
    ##...###
    #..#...#
    #.#..#.#
    #...#.G#
    ########
""")
MEDIUM_EVAL = _maze("""
    ########
    #.....G#
    #.#.##.#
    #....#.#
    ###..###
    #......#
    #..##..#
    ########
""")
LARGE = _maze("""
    ############
    #....#.....#
    #.##.#.#.#.#
    #......#...#
    #.####.###.#
    #..#.#.....#
    ##.#.#.#.###
    #..#...#.G.#
    ############
""")
LARGE_EVAL = _maze("""
    ############
    #..#...#.G.#
    ##.###.#.#.#
    #..#.#.....#
    #.##.#..##.#
    #......#...#
    #.##.#.#.###
    #....#.....#
    ############
""")
