"""The packs that wait for a place, handed to Tune one by one."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ray.tune.search import Searcher


class WaitingPacks(Searcher):
    """In the form that Tune asks a search algorithm in.

    A grid over all of them would be copied whole for each: a thousand trials would start a minute late.
    """

    def __init__(self, configs: Iterator[dict[str, Any]]) -> None:
        super().__init__()
        self._configs = configs

    def __getstate__(self) -> dict[str, Any]:
        return {}  # Tune stores it for a restore of its own, which is never asked for

    def suggest(self, trial_id: str) -> dict[str, Any] | None:
        return next(self._configs, None)

    def on_trial_complete(
        self, trial_id: str, result: dict[str, Any] | None = None, error: bool = False
    ) -> None:
        pass

    def save_to_dir(self, checkpoint_dir: str, session_str: str = "default") -> None:
        pass

    def save(self, checkpoint_path: str) -> None:
        pass

    def restore(self, checkpoint_path: str) -> None:
        pass
