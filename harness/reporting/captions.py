"""Captions: the protocol of a table or figure, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np

from harness.reporting.catalogue import Score
from harness.reporting.names import dataset_name
from harness.reporting.published import Published
from harness.reporting.results import Results
from harness.scores import DDOF, FINAL_EVALUATIONS


def scores(results: Results, score: Score) -> str:
    """Return the caption of the main table."""
    return (
        f"{measure(results)}: mean ± standard deviation (ddof={DDOF}) over {seeds(results)} "
        f"of {of_trial(results, score)}. {protocol(results)} {environments(results)}".rstrip()
    )


def published(sources: Sequence[Published], results: Results) -> Iterator[str]:
    """State where published scores are from, and how those of the results are compared with them."""
    compared = False
    for source in sources:
        shown = source.shown(results.algorithms)
        yield source.citation(shown)
        if any(shown.values()):
            compared |= source.protocol.score is not None
            if source.protocol.score is None:
                yield f"{source.name}: no Δ, because none of our scores counts the same evaluations."
    if sources:
        yield from published_as(results)
    if compared:
        yield (
            "Δ: ours minus theirs, ours scored by the same evaluations (final, last or best) as theirs; "
            "✓: no further apart than the larger of both deviations over seeds."
        )


def dashed(sources: Sequence[Published], results: Results) -> str:
    """State what the published levels in a figure are; their protocol may differ from that of the rest."""
    cited = [f" Dashed, {source.citation(source.shown(results.algorithms))}" for source in sources]
    return "".join([*cited, *(f" {sentence}" for sentence in published_as(results) if sources)])


def published_as(results: Results) -> Iterator[str]:
    """Name each dataset whose published scores are those of another one, as the experiment declares."""
    for name, other in results.published_as.items():
        if name != other:
            yield f"Published scores on {name} are those on {other}."


def measure(results: Results) -> str:
    """State what is measured: normalized scores, returns, or both."""
    if results.normalized == results.datasets:
        return "Normalized score"
    return "Normalized score, or episode return where so marked" if results.normalized else "Episode return"


def of_trial(results: Results, score: Score) -> str:
    """State which evaluations make the score of a trial."""
    evaluations = f"mean over its {final_evaluations(results)}" if score == "final" else f"{score} evaluation"
    return f"each trial's {evaluations}"


def of_sample(results: Results, score: Score) -> str:
    """State, in a sentence, what the score of a sample of a search is."""
    return f"Score of a sample: mean over {seeds(results)} of {of_trial(results, score)}."


def final_evaluations(results: Results) -> str:
    """State which evaluations a score is the mean of."""
    counts = results.finished["evaluations"]
    fewer = counts[counts < FINAL_EVALUATIONS]
    final = f"final {FINAL_EVALUATIONS} evaluations"
    return f"{final} (or all {_span(fewer)}, where it has fewer)" if len(fewer) else final


def seeds(results: Results) -> str:
    """State how many seeds there are."""
    return seeds_of(results.finished.groupby(["algorithm", "dataset"], observed=True).size().tolist())


def seeds_of(counts: Sequence[int]) -> str:
    """State how many seeds there are, from the numbers in each cell."""
    if not counts:
        return "no finished seed"
    return "1 seed (so no deviation)" if max(counts) == 1 else f"{_span(counts)} seeds"


def length(results: Results) -> str:
    """State how many gradient steps a finished trial has."""
    return _span(results.final_steps.values())


def protocol(results: Results) -> str:
    """State how long training was and how policies were evaluated."""
    every = f", evaluated every {interval}" if (interval := _interval(results)) else ""
    over = f" over {count} episode{'s' * (count != '1')}" if (count := episodes(results)) else ""
    return f"{length(results)} gradient steps{every}{over}."


def episodes(results: Results) -> str:
    """State how many episodes an evaluation has, where that is recorded."""
    if results.experiment:
        return str(results.experiment.evaluation.episodes)
    if "episode_returns" not in results.frame:
        return ""
    counts = results.frame["episode_returns"].list.len().dropna()
    return _span(counts[counts > 0]) if (counts > 0).any() else ""


def environments(results: Results) -> str:
    """Name versions of datasets and environments, as far as they are known."""
    versions = sorted({dataset_name(name).version for name in results.datasets} - {""})
    datasets = f"Datasets: v{', v'.join(versions)}" if versions else ""
    evaluated = f"evaluated on {', '.join(results.environments)}" if results.environments else ""
    sentence = "; ".join(filter(None, [datasets, evaluated]))
    return f"{sentence[0].upper()}{sentence[1:]}." if sentence else ""


def of_figure(results: Results, caption: str) -> str:
    """Return the caption of a figure with what it leaves to say: the protocol, and notes on trials."""
    sentences = (caption, protocol(results), environments(results), *notes_on_trials(results))
    return " ".join(" ".join(sentences).split())  # names may hold line breaks, and a sentence may be empty


def notes(results: Results) -> tuple[str, ...]:
    """Return the notes of every table."""
    return (*results.notes, *notes_on_trials(results))


def notes_on_trials(results: Results, brief: bool = False) -> Iterator[str]:
    """Name what is selected, the samples shown of searches, and the trials that diverged or are missing.

    A page that states the names of trials and samples once leaves them out (`brief`).
    """
    yield from selection(results)
    if not brief:
        yield from choices(results)
    yield from stopped(results)
    if diverged := results.diverged:
        named = "" if brief else f": {listed(diverged, 10, '; ')}"
        yield f"Training diverged in {len(diverged)} of {len(results.finished)} trials{named}."
    if missing := results.missing:
        named = " are not counted" if brief else f", not counted: {listed(missing, 10, '; ')}"
        yield f"Missing trials ({len(missing)}){named}."


def selection(results: Results) -> Iterator[str]:
    """State which trials `--only` selects, if it does; all numbers are of these."""
    if results.only:
        yield f"Selected: {selected(results)}. All numbers, also totals, are of these trials."


def selected(results: Results) -> str:
    """Return the selection of `--only`, such as `algorithm bc, td3; seed 0`; an empty string without it."""
    return "; ".join(f"{key} {', '.join(names)}" for key, names in results.only.items())


def choices(results: Results) -> Iterator[str]:
    """State which sample the column of each search shows."""
    return (f"{results.title(column)}: {note}" for column, note in results.choices.items())


def stopped(results: Results) -> Iterator[str]:
    """State how many trials successive halving stopped, and where."""
    if results.stopped:
        rungs = listed(f"{rung:,}" for rung in sorted(set(results.stopped.values())))
        yield (
            f"Successive halving stopped {len(results.stopped)} trials early, at gradient step {rungs}; they "
            "are not counted."
        )


def _interval(results: Results) -> str:
    """Return the gradient steps between two evaluations; an empty string if the intervals differ.

    The first interval may be shorter, and so may the last, which ends with training.
    """
    if results.experiment:
        return f"{results.experiment.evaluation.interval:,}"
    found = set()
    for _, steps in results.frame.groupby("dataset", observed=True)["step"]:
        gaps = np.diff(np.unique(steps))
        inner = set(gaps[1:-1]) or set(gaps)
        if len(gaps) and (len(inner) > 1 or max(gaps) > min(inner)):
            return ""
        found |= inner
    return _span(found) if found else ""


def _span(numbers: Iterable[Any]) -> str:
    low, high = min(numbers), max(numbers)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def listed(names: Iterable[Any], limit: int = 20, separator: str = ", ") -> str:
    """List the first names and the number of further ones."""
    texts = [str(name) for name in names]
    shown = separator.join(texts[:limit])
    return f"{shown} and {len(texts) - limit} more" if len(texts) > limit else shown
