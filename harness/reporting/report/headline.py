"""The best variant on each dataset, and those that are not significantly different from it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np

from harness.reporting import captions
from harness.reporting.catalogue import Score
from harness.reporting.comparison import Comparison, Difference, compare_with_baseline
from harness.reporting.results import Results
from harness.reporting.significance import of_mean
from harness.reporting.tables.model import Cell, Column, Kind, Row, Table


@dataclass(frozen=True)
class Standing:
    """The best variant on one dataset or over all, and the differences of the others from it.

    Attributes:
        dataset: None for the mean over all datasets, which have normalized scores.
        best: the variant with the highest mean, among those that have every seed.
        interval: the 95 % t interval of its mean; None for a single seed.
        others: the differences of the other variants from it, the highest first.
    """

    results: Results
    dataset: str | None
    best: str
    mean: float
    interval: tuple[float, float] | None
    others: tuple[Difference, ...]

    @property
    def score(self) -> Cell:
        """Return the mean and its interval."""
        shown = self.results.decimals(self.dataset, [self.mean]) if self.dataset else 1
        return Cell(self.mean, interval=self.interval, decimals=shown)

    @property
    def level(self) -> list[Difference]:
        """Return the variants that are not shown to be worse."""
        return [one for one in self.others if one.verdict in ("no difference found", "identical", "same")]

    @property
    def untested(self) -> list[Difference]:
        """Return the variants that cannot be tested, with the reasons."""
        return [one for one in self.others if one.verdict == "unknown"]

    def sentence(self) -> str:
        """Return a sentence on the best variant, its interval, and whether the difference is significant."""
        title = self.results.title
        name, score = title(self.best), self.score.plain()
        place = f"over {len(self.results.datasets)} datasets"
        if self.dataset:
            place = f"on {self.results.dataset_title(self.dataset)}"
        if not self.others:
            return f"{name} scores {score} {place}."
        first = f"{name} has the highest mean {place}, {score}"
        untested = f" Not tested: {self.names_of(self.untested)}." if self.untested else ""
        if self.level:
            names = captions.listed((f"{title(one.variant)} ({_lead(one).plain()})" for one in self.level), 4)
            return f"{first}; not distinguishable from it: {names}.{untested}"
        worse = next((one for one in self.others if one.verdict == "worse"), None)
        if worse is None:
            reasons = captions.listed(dict.fromkeys(one.reason for one in self.untested), 3, "; ")
            return f"{first}; whether it differs from the others cannot be tested ({reasons})."
        following = "the next" if worse is self.others[0] else "the next that was tested"
        second, lead = title(worse.variant), _lead(worse).plain()
        return f"{first}; {following}, {second}, is worse ({lead}).{untested}"

    def names_of(self, differences: Iterable[Difference]) -> str:
        """Return the titles of the variants of some differences."""
        return ", ".join(self.results.title(one.variant) for one in differences)


def standings(results: Results, score: Score = "final") -> list[Standing]:
    """Return the best over all datasets, if on a common scale, and on each where one has every seed."""
    arrays = results.score_arrays(score)
    values = {cell: seeds for cell, seeds in arrays.items() if len(seeds) == results.expected_seeds}

    @cache
    def against(best: str) -> Comparison | None:
        return compare_with_baseline(results, best, score) if len(results.algorithms) > 1 else None

    def standing(dataset: str | None, datasets: list[str]) -> Iterator[Standing]:
        means = {
            variant: float(np.mean([values[variant, name].mean() for name in datasets]))
            for variant in results.algorithms
            if all((variant, name) in values for name in datasets)
        }
        known = {variant: value for variant, value in means.items() if math.isfinite(value)}
        if not known:
            return
        best = max(known, key=lambda variant: known[variant])
        compared = against(best)
        others = [one for one in compared.differences if one.dataset == dataset] if compared else []
        seeds = [values[best, name] for name in datasets]
        paired = compared.paired if compared else results.experiment is not None
        yield Standing(
            results=results,
            dataset=dataset,
            best=best,
            mean=known[best],
            interval=of_mean(seeds, paired).interval if results.expected_seeds > 1 else None,
            others=tuple(sorted(others, key=lambda one: np.nan_to_num(-one.difference, nan=math.inf))),
        )

    found = [one for name in results.datasets for one in standing(name, [name])]
    if len(results.datasets) > 1 and results.normalized == results.datasets:
        found = [*standing(None, results.datasets), *found]
    return found


def headline_table(found: list[Standing], score_of: str) -> Table:
    """Return a row per dataset: the best variant, its lead, and the variants not found to differ from it."""
    return Table(
        name="best",
        caption=f"The variant with the highest {score_of} on each dataset, with the 95 % t interval of its "
        "mean, and the difference of the next one to it. No difference found: by the tests of harness "
        "compare DIR --baseline BEST (t-test and bootstrap, corrected by Holm), which may miss even large "
        "differences if there are few seeds.",
        header="Dataset",
        columns=(
            Column("best", "Highest"),
            Column("score", "Score"),
            Column("next", "Next"),
            Column("lead", "Next - highest"),
            Column("level", "No difference found"),
        ),
        rows=tuple(_row(one) for one in found),
    )


def _row(one: Standing) -> Row:
    title = one.results.title
    following = one.others[0] if one.others and math.isfinite(one.others[0].difference) else None
    level, untested = one.names_of(one.level), one.names_of(one.untested)
    second = (Cell(text=title(following.variant)), _lead(following)) if following else (Cell(), Cell())
    cells = (
        Cell(text=title(one.best)),
        one.score,
        *second,
        Cell(text=level or ("none" if not untested else "-"), mark=untested and f"not tested: {untested}"),
    )
    if one.dataset is None:
        return Row("all datasets", cells, Kind.TOTAL)
    return Row(one.results.dataset_title(one.dataset), cells)


def _lead(one: Difference) -> Cell:
    interval = one.interval if math.isfinite(one.interval[0]) else None
    return Cell(one.difference, interval=interval, decimals=one.decimals, signed=True)


def wins(found: list[Standing]) -> str:
    """State on how many datasets each variant has the highest mean; an empty string for one dataset."""
    names = [one.best for one in found if one.dataset]
    if len(names) < 2:
        return ""
    counts = sorted(set(names), key=lambda name: (-names.count(name), names.index(name)))
    parts = [f"{found[0].results.title(name)} on {names.count(name)}" for name in counts]
    return f"Highest mean: {parts[0]} of {len(names)} datasets{''.join(f', {part}' for part in parts[1:])}."
