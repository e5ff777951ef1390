"""`harness data collect` and `harness data import`: create datasets in D4RL's layout."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

from harness.commands.options import PATH, Function, comma_list


def _count(name: str, default: int, text: str) -> Callable[[Function], Function]:
    return click.option(name, type=click.IntRange(1), default=default, metavar="N", help=text)


@click.command()
@click.argument("environment")
@click.option(
    "--policy",
    type=PATH,
    metavar="AGENT.zip",
    help="Collect from this agent of stable-baselines3 instead, without training.",
)
@click.option("--output", type=PATH, metavar="DIR", default="datasets", help="Where to write the files.")
@click.option(
    "--name", metavar="NAME", help="Name of the datasets.", show_default="the task's, in lower case"
)
@click.option("--version", default="v0", metavar="vN", help="Version of the datasets.")
@click.option(
    "--kinds",
    callback=comma_list(click.STRING),
    metavar="KIND,...",
    help="Some of random, medium, medium-replay, medium-expert, expert; in Maze2D waypoint; in AntMaze play "
    "and diverse.",
    show_default="all",
)
@_count("--transitions", 40_000, "Minimum transitions in each dataset.")
@_count("--training-steps", 100_000, "Environment steps of SAC's training.")
@_count("--train-every", 1, "Environment steps per gradient step of SAC.")
@_count("--evaluation-interval", 1_000, "Steps of SAC between evaluations.")
@_count("--evaluation-episodes", 20, "Episodes of an evaluation.")
@_count("--reference-episodes", 1_000, "Episodes that give the reference scores.")
@click.option(
    "--learning-rate",
    type=click.FloatRange(0, min_open=True),
    default=3e-4,
    metavar="X",
    help="Learning rate of SAC.",
)
@click.option("--seed", type=click.IntRange(0), default=0, metavar="N", help="Seed of all random numbers.")
def collect(
    environment: str, policy: str | None, output: str, name: str | None, kinds: tuple[str, ...], **recipe: Any
) -> None:
    """Collect datasets of a gymnasium task by D4RL's recipe.

    Trains stable-baselines3's SAC in ENVIRONMENT, such as Hopper-v4, and collects datasets at its stages, as
    D4RL does. In D4RL's mazes, controllers collect the data without training.
    """
    import re
    from pathlib import Path

    from harness.datasets import collect as collecting
    from harness.datasets.progress import bar

    how = collecting.Recipe(
        environment,
        name or re.sub(r".*[/:]|-v\d+$", "", environment).lower(),
        kinds=kinds,
        **recipe,
    )
    with bar("collecting") as advance:
        paths = collecting.collect(how, Path(output), advance, Path(policy) if policy else None)
    for path in paths:
        print(path)


@click.command("import")
@click.argument("file", type=PATH)
@click.option("--environment", metavar="ID", required=True, help="The gymnasium task of the data.")
@click.option(
    "--output", type=PATH, metavar="FILE", help="The new file.", show_default="FILE with the suffix .hdf5"
)
@click.option(
    "--observation-keys",
    callback=comma_list(click.STRING),
    metavar="KEY,KEY",
    help="Entries of dictionary observations to concatenate.",
    show_default="all that are vectors",
)
def import_data(file: str, environment: str, output: str | None, observation_keys: tuple[str, ...]) -> None:
    """Convert a file of transitions to D4RL's layout.

    Reads transitions as d3rlpy, robomimic, imitation, stable-baselines3, Decision Transformer and others
    save them (HDF5, npz, a pickle, or a torch-saved file; docs/import-data.md).
    """
    from pathlib import Path

    from harness.datasets.formats import Source
    from harness.datasets.importing import import_file

    source = Path(file)
    target = Path(output) if output else source.parent / f"{source.stem}.hdf5"
    print(*import_file(Source(source, observation_keys), target, environment), sep="\n")
