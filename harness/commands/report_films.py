"""The films of `harness report --films`: for each dataset, all variants side by side."""

from __future__ import annotations

import base64
import statistics
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import HarnessError, warn

if TYPE_CHECKING:
    from harness.policies.files import SavedPolicy
    from harness.reporting.report import Clip

HEIGHT = 200
SECONDS = 10.0
MOST_VARIANTS = 12


def clips(target: str, only: Sequence[str] = ()) -> list[Clip]:
    """Film one episode of each selected variant on each dataset, from the same start states.

    Datasets that cannot be filmed are left out with a warning, unless that holds for all.
    """
    from harness.storage.policies import select_policies

    if "://" not in target and Path(target).is_file():
        raise HarnessError(f"{target}: --films needs a results directory with policies")
    by_dataset: dict[str, list[SavedPolicy]] = {}
    for policy in select_policies(target, only):
        by_dataset.setdefault(policy.info.dataset, []).append(policy)
    found, failures = [], []
    for dataset, policies in by_dataset.items():
        try:
            found.append(_clip(dataset, policies))
        except HarnessError as error:
            failures.append(error)
            warn(f"no film of {dataset}: {error}")
    if not found:
        raise failures[0]
    return found


def _clip(dataset: str, policies: Sequence[SavedPolicy]) -> Clip:
    """Film the policies of the seed that most variants have, the first one of several."""
    from harness.commands.record import make_players
    from harness.films import film, write_film
    from harness.films.files import has_mp4
    from harness.reporting.names import algorithm_label
    from harness.reporting.report import Clip
    from harness.training.evaluation import episode_seeds

    seed = statistics.mode(policy.info.seed for policy in policies)
    policies = [policy for policy in policies if policy.info.seed == seed]
    shown, info = policies[:MOST_VARIANTS], policies[0].info
    players = [
        replace(player, label=algorithm_label(player.policy.info.variant)) for player in make_players(shown)
    ]
    seeds = episode_seeds(info.evaluation_seed, info.seed, 1)
    suffix, kind = (".mp4", "video/mp4") if has_mp4() else (".gif", "image/gif")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, f"film{suffix}")
        write_film(film(players, seeds, side_by_side=True, height=HEIGHT, seconds=SECONDS), path)
        content = base64.b64encode(path.read_bytes()).decode()
    more = f" The first {MOST_VARIANTS} of {len(policies)}." if len(policies) > len(shown) else ""
    return Clip(
        title=dataset,
        caption=f"One episode of the policy of each algorithm (seed {info.seed}) in {info.environment}, from "
        f"the same start and for at most {SECONDS:g} s, with the return so far.{more}",
        source=f"data:{kind};base64,{content}",
    )
