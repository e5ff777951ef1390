"""The content of the report, and its template."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib import resources

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from numpy.typing import NDArray

from harness import __version__, experiment_file
from harness.errors import HarnessError
from harness.reporting import captions, catalogue
from harness.reporting.catalogue import Score
from harness.reporting.figures import Material
from harness.reporting.published import Published
from harness.reporting.published.shared import nothing_shared, require_shared
from harness.reporting.report import provenance, side_by_side
from harness.reporting.report.headline import headline_table, standings, wins
from harness.reporting.report.pictures import draw_pictures
from harness.reporting.results import Results
from harness.reporting.tables import FORMATS, Table, make_table
from harness.reporting.tables.html import table_element
from harness.reporting.tables.joint import joint_table

FOLDED = ("improvement", "seeds", "samples")
MOST_COMPARED = 6
"""The most variants with a table of improvements, which grows with their square."""


@dataclass(frozen=True)
class Clip:
    """A short film of policies."""

    title: str
    caption: str
    source: str
    """A data URI, of a video or an animated image."""


@dataclass(frozen=True)
class View:
    """A table on the page, and the texts that its buttons copy or download."""

    title: str
    table: Table
    folded: bool = False

    @property
    def element(self) -> Markup:
        """Return the `<table>`."""
        return Markup(table_element(self.table))

    @property
    def script(self) -> Markup:
        """Return the table as Markdown, LaTeX and CSV, as JSON that can be inside a `<script>` element."""
        texts = {name: FORMATS[name](self.table) for name in ("markdown", "latex", "csv")}
        return Markup(json.dumps(texts, ensure_ascii=False).replace("<", "\\u003c"))


def report(
    sources: Sequence[Results],
    score: Score = "final",
    published: Sequence[Published] = (),
    behaviour: Sequence[Mapping[str, NDArray[np.float64]]] = (),
    clips: Sequence[Sequence[Clip]] = (),
    with_host: bool = False,
) -> str:
    """Return a self-contained HTML page of one or more experiments.

    Args:
        behaviour: for each experiment, the returns of the episodes in each dataset.
        clips: for each experiment, films of its policies.
        with_host: whether to name the host and the folders on it.

    Raises:
        HarnessError: for published scores that none of the experiments shares a dataset and variant with.
    """
    require_shared(sources, published)
    sources = [replace(results, source=provenance.shown_source(results, with_host)) for results in sources]
    known = list(behaviour) or [{} for _ in sources]
    filmed = list(clips) or [() for _ in sources]
    names = [
        f"{name} ({selected})" if (selected := captions.selected(results)) else name
        for name, results in zip(side_by_side.distinct_names(sources), sources, strict=True)
    ]
    sections = []
    for index, results in enumerate(sources):
        fitting = [source for source in published if not nothing_shared(results, source)]
        material = Material(results, score, fitting, behaviour_returns=dict(known[index]))
        sections.append(_section(f"e{index + 1}", names[index], material, filmed[index], with_host))
    page, style, script = (
        (resources.files(__package__) / name).read_text(encoding="utf-8")
        for name in ("page.html", "style.css", "script.js")
    )
    jinja = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return jinja.from_string(page).render(
        title=", ".join(names),
        sections=sections,
        together=_together(sources, score) if len(sources) > 1 else None,
        style=Markup(style),
        script=Markup(script),
        version=__version__,
    )


def _together(sources: Sequence[Results], score: Score) -> dict[str, object]:
    """Return the template's values for all experiments side by side."""
    names = side_by_side.distinct_names(sources)
    return {
        "table": View("Scores", joint_table(dict(zip(names, sources, strict=True)), score)),
        "curves": side_by_side.shared_curves(sources, score),
        "verdicts": [
            (title, summary, View("", table) if table else None)
            for title, summary, table in side_by_side.verdicts(names, sources, score)
        ],
    }


def _section(
    anchor: str, name: str, material: Material, clips: Sequence[Clip], with_host: bool
) -> dict[str, object]:
    """Return the template's values for one experiment."""
    results = material.results
    pictures, left_out = draw_pictures(material)
    tables = list(_tables(material, left_out))
    found = standings(results, material.score)
    several = len(results.algorithms) > 1
    best = None
    if several and len(found) > 1:
        score_of = f"mean of {captions.of_trial(results, material.score)}"
        best = View("Best on each dataset", headline_table(found, score_of))
    return {
        "anchor": anchor,
        "name": name,
        "description": results.experiment.description if results.experiment else "",
        "facts": provenance.facts(results),
        "finished": len(results.finished),
        "problems": _problems(results),
        "stopped": list(captions.stopped(results)),
        "standings": found,
        "wins": wins(found) if several else "",
        "best": best,
        "tables": tables,
        "pictures": pictures,
        "clips": clips,
        "left_out": left_out,
        "experiment": experiment_file.dump(results.experiment) if results.experiment else "",
        "repeat": provenance.repeat(results),
        "runs": [provenance.run(each, with_host) for each in results.manifest.get("runs", [])],
    }


def _problems(results: Results) -> dict[str, Sequence[str]]:
    """Return lines about the trials that failed, are missing or diverged, in this order, by kind."""
    failed = set(results.failed)
    missing = [line for line in results.missing if line not in failed]
    lines = {"failed": results.failed, "missing": missing, "diverged": results.diverged}
    return {kind: trials for kind, trials in lines.items() if trials}


def _tables(material: Material, left_out: dict[str, str]) -> Iterator[View]:
    """Build every table that the results allow, and add to `left_out` why others are omitted."""
    results, count = material.results, len(material.results.algorithms)
    for name, title in catalogue.TABLES.items():
        try:
            if name == "improvement" and count > MOST_COMPARED:
                raise HarnessError(
                    f"comparing all pairs of {count} variants is too long for the page; harness table "
                    "--table improvement shows it"
                )
            table = make_table(name, results, material.score, material.published)
        except HarnessError as reason:
            left_out[title] = str(reason)
            continue
        named = set(captions.notes_on_trials(results))  # the page states them once
        notes = [note for note in table.notes if note not in named]
        notes += captions.notes_on_trials(results, brief=True)
        yield View(title, replace(table, notes=tuple(notes)), folded=name in FOLDED)
