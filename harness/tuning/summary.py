"""Formats progress as text: one line for a run, one for a trial."""

from __future__ import annotations

from harness.storage.progress import Progress, TrialProgress
from harness.storage.trial_state import STATES

LINE_WIDTH = 80


def headline(
    progress: Progress,
    concurrency: int | None = None,
    elapsed: float | None = None,
    width: int = LINE_WIDTH,
) -> str:
    """Return `42% trained | 60 of 150 trials done, 2 running, 88 waiting | 4 min left | 3,412 steps/s`.

    Parts that do not fit into `width` characters are omitted, from the end. `concurrency` trials run at the
    same time, by default as many as run now; the run began `elapsed` seconds ago.
    """
    parts = [f"{100 * progress.step // max(progress.steps, 1)}% trained", _counts(progress)]
    if progress.running() and (left := progress.seconds_left(concurrency)):
        parts.append(f"{duration(left)} left")
    if progress.steps_per_second:
        parts.append(f"{progress.steps_per_second:,.0f} steps/s")
    if elapsed is not None:
        parts.append(f"{duration(elapsed)} so far")
    while len(parts) > 2 and len(" | ".join(parts)) > width:
        parts.pop()
    return " | ".join(parts)


def _counts(progress: Progress) -> str:
    counts = {state: progress.count(state) for state in STATES}
    first = f"{counts.pop('done')} of {len(progress.trials)} trials done"
    return ", ".join([first, *(f"{count} {state}" for state, count in counts.items() if count)])


def counted(count: int, noun: str) -> str:
    """Return `1 trial` or `2 trials`."""
    return f"{count} {noun}{'s' * (count != 1)}"


def duration(seconds: float) -> str:
    """Return `8 s`, `4 min`, `2 h 05 min` or `3 d 4 h`."""
    seconds = round(seconds)
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours = (seconds + 30) // 60, (seconds + 30) // 3600
    if minutes < 60:
        return f"{minutes} min"
    return f"{hours} h {minutes % 60:02d} min" if hours < 48 else f"{hours // 24} d {hours % 24} h"


def describe_trial(trial: TrialProgress) -> str:
    """Return `td3_bc on hopper-medium-v2, seed 0`."""
    return f"{trial.algorithm} on {trial.dataset}, seed {trial.seed}"


def describe_score(trial: TrialProgress) -> str:
    """Return `latest normalized score 36.5` or `latest return -123.4`; empty before the first evaluation."""
    return "" if trial.score is None else f"latest {trial.score_kind} {trial.score:.1f}"


def describe_divergence(trial: TrialProgress) -> str:
    """Return `diverged: critic_loss not finite from step 500`; empty where all metrics are finite."""
    return f"diverged: {trial.diverged}" if trial.diverged else ""
