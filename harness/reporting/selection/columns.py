"""What selection without the environment would have reported, next to the best in hindsight."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd

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

    One shows on each dataset the sample that an offline rule selects, the other the best in hindsight.

    Args:
        results: with all samples.
        rule: `fqe` or `td_error`.
        score: what the best is chosen by.

    Raises:
        HarnessError: where nothing was drawn, or a sample has no estimate.
    """
    if not any(search.drawn for search in results.searches.values()):
        raise HarnessError(
            f"{results.source}: --select {rule} shows searches whose values were drawn from ranges; there is "
            f"none. Select among listed values with: harness select {results.source} --by {rule}"
        )
    selected = grouped(results, lambda *of: by_estimate(*of, rule=rule), score)
    best = grouped(results, best_per_dataset, score)
    pairs = zip(selected.algorithms, best.algorithms, strict=True)
    order = list(dict.fromkeys(name for pair in pairs for name in pair))
    added = best.frame[~best.frame["algorithm"].isin(selected.algorithms)]
    frames = [each.assign(algorithm=each["algorithm"].astype(str)) for each in (selected.frame, added)]
    frame = pd.concat(frames, ignore_index=True)
    frame["algorithm"] = pd.Categorical(frame["algorithm"], categories=order)
    frame["dataset"] = frame["dataset"].astype(results.frame["dataset"].dtype)
    keys = ["algorithm", "dataset", "seed", "step"]
    return replace(
        selected,
        frame=frame.sort_values(keys, kind="stable", ignore_index=True),
        requested=list({trial.key: trial for trial in (*selected.requested, *best.requested)}.values()),
        failures=selected.failures | best.failures,
        choices={**selected.choices, **best.choices},
    )


def by_estimate(results: Results, search: Search, score: Score, *, rule: str) -> Choice:
    """Choose for each dataset the sample that an offline rule puts first.

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
