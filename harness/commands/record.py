"""`harness record`: films of trained policies."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.policy_options import add_environment, add_source, positive_number
from harness.errors import HarnessError

if TYPE_CHECKING:
    from harness.films import Player
    from harness.policies.files import SavedPolicy

MOST_PANELS = 16


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "record",
        help="film trained policies",
        description="Render episodes of saved policies, captioned with variant and return, without a screen.",
    )
    add_source(parser)
    parser.add_argument("--output", metavar="FILE", default="film.mp4", help="an .mp4 or .gif (film.mp4)")
    parser.add_argument("--grid", action="store_true", help="show all side by side, from the same starts")
    parser.add_argument(
        "--episodes", type=positive_number, default=1, metavar="N", help="of each policy (default: 1)"
    )
    parser.add_argument(
        "--height", type=positive_number, default=320, metavar="PIXELS", help="of a picture (default: 320)"
    )
    add_environment(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> int:
    """Write the film and say where it is."""
    from harness import user_modules
    from harness.films import film, write_film
    from harness.films.files import check_format
    from harness.storage.policies import select_policies
    from harness.training.evaluation import episode_seeds

    check_format(options.output)
    policies = select_policies(options.source, options.only, options.policy)
    user_modules.make_importable([str(Path.cwd())])
    players = make_players(policies, options.environment)
    if options.grid:
        _require_one_environment(players)
    info = policies[0].info
    seeds = episode_seeds(
        info.evaluation_seed if options.seed is None else options.seed, info.seed, options.episodes
    )
    write_film(film(players, seeds, options.grid, options.height), options.output)
    print(options.output)
    return 0


def make_players(policies: Sequence[SavedPolicy], environment: str | None = None) -> list[Player]:
    """Return policies in their environments, with captions that tell them apart.

    Raises:
        HarnessError: when a policy file names the module of an environment, as `environment_for`.
    """
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


def _require_one_environment(players: Sequence[Player]) -> None:
    environments = list(dict.fromkeys(player.environment for player in players))
    if len(environments) > 1:
        raise HarnessError(
            f"--grid shows one environment, but these policies have {environments[0]} and {environments[1]}; "
            "choose with --only dataset=NAME"
        )
    if len(players) > MOST_PANELS:
        raise HarnessError(
            f"--grid shows at most {MOST_PANELS} policies, not {len(players)}; choose with --only, such as "
            "--only seed=0"
        )
