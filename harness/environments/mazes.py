"""Floor plans of D4RL's Maze2D and AntMaze (arXiv 2004.07219; d4rl 1.1, maze_model.py and maze_env.py)."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TypeAlias

Cell: TypeAlias = tuple[int, int]
"""Row and column, from 0 at the top left."""


@dataclass(frozen=True)
class Maze:
    """A grid of cells, each a wall or free, with a goal among the free ones; cells are listed row by row."""

    walls: tuple[Cell, ...]
    free: tuple[Cell, ...]
    goal: Cell

    def path(self, start: Cell, goal: Cell) -> list[Cell]:
        """Return the cells of a shortest path between free cells, excluding the start, including the goal."""
        came_from, queue = {goal: goal}, deque([goal])
        while queue:
            cell = queue.popleft()
            if cell == start:
                break
            for row, column in ((-1, 0), (1, 0), (0, -1), (0, 1)):
                neighbour = (cell[0] + row, cell[1] + column)
                if neighbour in self.free and neighbour not in came_from:
                    came_from[neighbour] = cell
                    queue.append(neighbour)
        path = []
        while start != goal:
            start = came_from[start]
            path.append(start)
        return path


def _maze(plan: str) -> Maze:
    """Return the maze of a plan with one character for each cell: `#` a wall, `G` the goal, `.` free."""
    rows = enumerate(plan.split())
    kinds = {(row, column): kind for row, line in rows for column, kind in enumerate(line)}
    return Maze(
        walls=tuple(cell for cell, kind in kinds.items() if kind == "#"),
        free=tuple(cell for cell, kind in kinds.items() if kind != "#"),
        goal=next(cell for cell, kind in kinds.items() if kind == "G"),
    )


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
