"""`harness record`: films of trained policies."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness import user_modules
from harness.commands.options import PATH, environment_of, policies_of
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.films import Player
    from harness.policies.files import SavedPolicy
    from harness.policies.names import Chosen

MOST_PANELS = 16


@click.command()
@policies_of
@click.option("--output", type=PATH, metavar="FILE", default="film.mp4", help="An .mp4 or .gif file.")
@click.option("--grid", is_flag=True, help="Show all policies side by side, from the same start states.")
@click.option("--episodes", type=click.IntRange(1), default=1, metavar="N", help="Episodes of each policy.")
@click.option(
    "--height", type=click.IntRange(1), default=320, metavar="PIXELS", help="Height of the picture in pixels."
)
@environment_of
def record(
    source: str,
    only: tuple[str, ...],
    policy: Chosen | None,
    output: str,
    grid: bool,
    episodes: int,
    height: int,
    environment: str | None,
    seed: int | None,
) -> None:
    """Record films of trained policies.

    Renders episodes of the saved policies of a results directory (or its URL) or of one policy file,
    captioned with variant and return. No screen is needed.
    """
    from harness.films import film, write_film
    from harness.films.files import check_format
    from harness.storage.policies import select_policies
    from harness.training.evaluation import episode_seeds

    check_format(output)
    policies = select_policies(source, only, policy)
    user_modules.make_importable([str(Path.cwd())])
    players = make_players(policies, environment)
    environments = list(dict.fromkeys(player.environment for player in players))
    if grid and len(environments) > 1:
        raise HarnessError(
            f"--grid shows one environment, but these policies use {environments[0]} and {environments[1]}; "
            "choose with --only dataset=NAME"
        )
    if grid and len(players) > MOST_PANELS:
        raise HarnessError(
            f"--grid shows at most {MOST_PANELS} policies, not {len(players)}; choose with --only, such as "
            "--only seed=0"
        )
    info = policies[0].info
    seeds = episode_seeds(info.evaluation_seed if seed is None else seed, info.seed, episodes)
    write_film(film(players, seeds, grid, height), output)
    print(output)


def make_players(policies: Sequence[SavedPolicy], environment: str | None = None) -> list[Player]:
    """Return policies in their environments, with captions that tell them apart."""
    from harness.films import Player
    from harness.training.policy_evaluation import environment_for

    datasets = {policy.info.dataset for policy in policies}
    trials = {(policy.info.variant, policy.info.dataset) for policy in policies}
    steps = {policy.info.step for policy in policies}
    return [
        Player(
            policy,
            environment_for(policy, environment),
            policy.info.variant
            + (f", {policy.info.dataset}" if len(datasets) > 1 else "")
            + (f", seed {policy.info.seed}" if len(trials) < len(policies) else "")
            + (f", step {policy.info.step:,}" if len(steps) > 1 else ""),
        )
        for policy in policies
    ]
