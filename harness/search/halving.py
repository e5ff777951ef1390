"""Synchronous successive halving: decides by evaluations which samples continue after each rung."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from pydantic import Field, model_validator

from harness.search.ranking import TrialScore, by_merit
from harness.validation import STEPS_LIMIT, Settings, Whole


class HalvingSettings(Settings):
    """Stops all but the best 1/eta of the samples of each search at each rung (arXiv 1502.07943)."""

    rungs: tuple[Whole, ...] = ()
    """Gradient steps at which samples are compared, in ascending order."""
    first_rung: Whole | None = Field(None, ge=1, le=STEPS_LIMIT)
    """Instead of rungs: the first one; each further rung is at eta times the steps, until training ends."""
    eta: Whole = Field(3, ge=2)
    """Of n samples, n / eta continue after a rung, rounded up."""

    @model_validator(mode="after")
    def _in_order(self) -> HalvingSettings:
        if bool(self.rungs) == (self.first_rung is not None):
            raise ValueError("give either rungs: [STEP, ...] or first_rung: STEP")
        if any(later <= earlier for earlier, later in itertools.pairwise((0, *self.rungs))):
            raise ValueError(f"rungs must be ascending gradient steps, got {list(self.rungs)}")
        return self

    def steps(self, gradient_steps: int) -> tuple[int, ...]:
        """Return the rungs of trials with this many gradient steps."""
        if self.first_rung is None:
            return self.rungs
        rungs = (self.first_rung * self.eta**power for power in itertools.count())
        return tuple(itertools.takewhile(lambda rung: rung < gradient_steps, rungs))

    def require_evaluations(self, gradient_steps: int, interval: int) -> None:
        """Check that trials are evaluated at each rung, and each rung is before the last gradient step."""
        for rung in self.steps(gradient_steps) or (self.first_rung or 0,):
            if rung % interval or rung >= gradient_steps:
                raise ValueError(
                    f"halving: rung {rung:,} must be a multiple of evaluation.interval ({interval:,}) and "
                    f"less than training.gradient_steps ({gradient_steps:,})"
                )


@dataclass(frozen=True)
class Standing:
    """The state of the samples of a search.

    Attributes:
        continuing: the samples that were not stopped.
        until: the gradient step of their next comparison; None if they train to the end.
        stopped: by sample, the rung at which it was stopped.
        ranked: the samples at the last rung that was decided, the best first.
    """

    continuing: tuple[str, ...]
    until: int | None
    stopped: Mapping[str, int] = field(default_factory=dict)
    ranked: tuple[str, ...] = ()


def standing(
    trials: Mapping[str, Sequence[str]],
    rungs: Sequence[int],
    eta: int,
    score_at: Callable[[str, int], TrialScore | None],
) -> Standing:
    """Decide every rung that all trials of the continuing samples have reached.

    Samples are compared by their means over seeds and datasets. Decisions depend on the evaluations only.

    Args:
        trials: by sample, the keys of its trials.
        score_at: returns the score of a trial at a rung; None if it has not reached the rung.
    """
    continuing = ranked = tuple(trials)
    stopped: dict[str, int] = {}
    for rung in rungs:
        found = {sample: [score_at(key, rung) for key in trials[sample]] for sample in continuing}
        scores = {sample: [score for score in own if score is not None] for sample, own in found.items()}
        if any(None in own for own in found.values()):
            return Standing(continuing, rung, stopped, ranked if stopped else ())
        ranked = by_merit(scores)
        kept = set(ranked[: math.ceil(len(ranked) / eta)])
        stopped |= {sample: rung for sample in continuing if sample not in kept}
        continuing = tuple(sample for sample in continuing if sample in kept)
    return Standing(continuing, None, stopped, ranked)


def survivors(samples: int, rungs: Sequence[int], eta: int) -> list[int]:
    """Return how many of `samples` samples continue after each rung."""
    left = [samples]
    for _ in rungs:
        left.append(math.ceil(left[-1] / eta))
    return left[1:]


def steps_to_train(samples: int, rungs: Sequence[int], eta: int, gradient_steps: int) -> int:
    """Return the gradient steps that a search takes with one seed on one dataset, over all its samples."""
    counts = [samples, *survivors(samples, rungs, eta)]
    ends = [0, *rungs, gradient_steps]
    return sum(
        count * (end - start) for count, (start, end) in zip(counts, itertools.pairwise(ends), strict=True)
    )
