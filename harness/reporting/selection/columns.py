"""Columns with the scores of samples selected without the environment, next to the best in hindsight."""

from __future__ import annotations

import shlex
from functools import partial

from harness.errors import HarnessError
from harness.reporting.names import RULE_LABELS
from harness.reporting.results import Results
from harness.reporting.samples import Choice, best_per_dataset, grouped
from harness.reporting.selection.candidates import all_candidates
from harness.reporting.selection.ranking import ranked
from harness.reporting.selection.rules import merits
from harness.scores import Score
from harness.search import Search


def next_to_best(results: Results, rule: str, score: Score) -> Results:
    """Return the results with two columns for each search whose samples were drawn from ranges.

    On each dataset, one shows the sample that an offline rule selects, the other the best in hindsight.

    Args:
        results: with all samples.
        rule: `fqe` or `td_error`.
        score: the score by which the best is chosen.

    Raises:
        HarnessError: if no search was drawn from ranges, or a sample has no estimate.
    """
    if not any(search.drawn for search in results.searches.values()):
        raise HarnessError(
            f"{results.source}: --select {rule} shows searches whose values were drawn from ranges; there is "
            f"none. Select among listed values with: harness select {shlex.quote(results.source)} --by {rule}"
        )
    return grouped(results, partial(by_estimate, rule=rule), best_per_dataset, score=score)


def by_estimate(results: Results, search: Search, score: Score, *, rule: str) -> Choice:
    """Choose for each dataset the sample that an offline rule ranks first.

    Raises:
        HarnessError: where a sample has no estimate.
    """
    candidates = [each for each in all_candidates(results, score) if each.search == search.name]
    chosen = dict.fromkeys(results.datasets, next(iter(search.samples)))
    chosen |= {each.dataset: each.names[ranked(merits(results, each, rule))[0]] for each in candidates}
    label = RULE_LABELS[rule]
    return Choice(
        f"{label} of {len(search.samples)}",
        chosen,
        f"of {len(search.samples)} samples the one that {label} selects on each dataset, without the "
        "environment",
    )
