"""The report's content, and the template that it is poured into."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from itertools import chain
from typing import Any

import numpy as np
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup
from matplotlib.collections import Collection
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from harness import __version__, experiment_file
from harness.errors import HarnessError
from harness.reporting import captions, catalogue, figures
from harness.reporting.documents import TABLES, make_table
from harness.reporting.figures import Material, NotApplicableError
from harness.reporting.figures.style import COLUMN_WIDTH
from harness.reporting.measures import decimals, title_of
from harness.reporting.published import Published
from harness.reporting.published.shared import nothing_shared, require_shared
from harness.reporting.report.curves import explorer_data
from harness.reporting.results import Results
from harness.reporting.tables.html import table_element
from harness.reporting.tables.model import Cell, Column, Row, Table
from harness.scores import TRIAL, Score
from harness.storage.manifest import Run

MOST_POINTS = 120_000
"""A figure of more, at about 30 bytes each in SVG, is put in as PNG. With fewer PNG is no smaller."""

BEHIND_A_CLICK = ("improvement", "seeds")
MOST_COMPARED = 6
"""Algorithms that the table of improvements is made for; it grows with their square."""


@dataclass(frozen=True)
class Picture:
    name: str
    title: str
    caption: str
    source: str
    """A data URI."""
    narrow: bool
    """Whether it is drawn for one column of a paper."""

    @property
    def folded(self) -> bool:
        """Whether it is shown on request only: figures of single metrics are many."""
        return self.name.startswith(catalogue.METRIC_FIGURE)


@dataclass(frozen=True)
class Clip:
    """A short film of policies at work."""

    title: str
    caption: str
    source: str
    """A data URI, of a video or an animated image."""

    @property
    def is_video(self) -> bool:
        """Whether it is a video."""
        return self.source.startswith("data:video/")


@dataclass(frozen=True)
class Section:
    """One experiment on the page."""

    anchor: str
    name: str
    description: str
    facts: Mapping[str, str]
    tables: Sequence[tuple[str, Markup, bool]]
    pictures: Sequence[Picture]
    clips: Sequence[Clip]
    left_out: Mapping[str, str]
    trials: Markup
    curves: Markup
    missing: Sequence[str]
    experiment: str
    repeat: str
    runs: Sequence[Mapping[str, str]]


def report(
    sources: Sequence[Results],
    score: Score = "final",
    published: Sequence[Published] = (),
    behaviour: Sequence[Mapping[str, NDArray[np.float64]]] = (),
    clips: Sequence[Sequence[Clip]] = (),
) -> str:
    """A whole page of one or more experiments. Nothing in it asks anything of anywhere.

    Args:
        published: are shown next to the scores of the experiments that they have scores for.
        behaviour: for each experiment, dataset to the returns of the episodes in it.
        clips: for each experiment, films of its policies.

    Raises:
        HarnessError: for published scores that none of the experiments shares a dataset and algorithm with.
    """
    require_shared(sources, published)
    known = list(behaviour) or [{} for _ in sources]
    filmed = list(clips) or [() for _ in sources]
    sections = [
        _section(f"e{index}", results, score, _fitting(results, published), dict(of), its_clips)
        for index, (results, of, its_clips) in enumerate(zip(sources, known, filmed, strict=True), start=1)
    ]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    folder = resources.files(__package__)
    template = environment.from_string((folder / "page.html").read_text(encoding="utf-8"))
    return template.render(
        title=", ".join(section.name for section in sections),
        sections=sections,
        style=Markup((folder / "style.css").read_text(encoding="utf-8")),
        script=Markup((folder / "script.js").read_text(encoding="utf-8")),
        version=__version__,
    )


def _section(
    anchor: str,
    results: Results,
    score: Score,
    published: Sequence[Published],
    behaviour: dict[str, NDArray[np.float64]],
    clips: Sequence[Clip],
) -> Section:
    material = Material(results, score, published, behaviour_returns=behaviour)
    pictures, left_out = _pictures(material)
    if len(results.algorithms) > MOST_COMPARED:
        left_out[catalogue.TABLES["improvement"]] = (
            f"of {len(results.algorithms)} algorithms, each with each other, it is too long for a page: "
            "harness table --table improvement shows it"
        )
    return Section(
        anchor=anchor,
        name=results.name,
        description=results.experiment.description if results.experiment else "",
        facts=_facts(results),
        tables=list(_tables(results, score, published)),
        pictures=pictures,
        clips=clips,
        left_out=left_out,
        trials=Markup(table_element(_trials_table(results))),
        curves=Markup(explorer_data(results)),
        missing=results.missing,
        experiment=experiment_file.dump(results.experiment) if results.experiment else "",
        repeat=_repeat(results),
        runs=[_run(entry) for entry in results.manifest.get("runs", [])],
    )


def _fitting(results: Results, published: Sequence[Published]) -> list[Published]:
    """The sources that have a dataset and an algorithm of these results."""
    return [source for source in published if not nothing_shared(results, source)]


def _tables(
    results: Results, score: Score, published: Sequence[Published]
) -> Iterator[tuple[str, Markup, bool]]:
    for name in TABLES:
        if name == "improvement" and len(results.algorithms) > MOST_COMPARED:
            continue
        try:
            table = make_table(name, results, score, published)
        except HarnessError:
            continue
        yield catalogue.TABLES[name], Markup(table_element(table)), name in BEHIND_A_CLICK


def _pictures(material: Material) -> tuple[list[Picture], dict[str, str]]:
    pictures, left_out = [], {}
    for name in figures.figure_names(material.results):
        try:
            drawing = figures.draw(name, material)
        except NotApplicableError as reason:
            left_out[catalogue.figure_title(name)] = str(reason)
            continue
        title = catalogue.figure_title(name)
        narrow = drawing.figure.get_figwidth() <= COLUMN_WIDTH
        pictures.append(Picture(name, title, drawing.caption, _data_uri(drawing), narrow))
    return pictures, left_out


def _data_uri(drawing: figures.Drawing) -> str:
    file_format, kind = ("svg", "svg+xml") if _points(drawing.figure) <= MOST_POINTS else ("png", "png")
    content = figures.render(drawing, file_format)
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def _points(figure: Figure) -> int:
    """Of all its curves and bands."""
    artists = figure.findobj()
    curves = [artist.get_path() for artist in artists if isinstance(artist, Line2D)]
    bands = [artist.get_paths() for artist in artists if isinstance(artist, Collection)]
    return sum(np.size(path.vertices) for path in chain(curves, *bands)) // 2


def _facts(results: Results) -> dict[str, str]:
    counts = {
        "finished": len(results.finished),
        "diverged": len(results.diverged),
        "missing": len(results.missing),
    }
    facts = {
        "Trials": ", ".join(f"{count:,} {what}" for what, count in counts.items() if count),
        "Algorithms": captions.listed(title_of(results, name) for name in results.algorithms),
        "Datasets": captions.listed(title_of(results, name) for name in results.datasets),
        "Seeds": captions.seeds(results),
        "Protocol": captions.protocol(results).rstrip("."),
        "Environments": captions.listed(results.environments),
        "From": results.source,
    }
    return {name: fact for name, fact in facts.items() if fact}


def _trials_table(results: Results) -> Table:
    return Table(
        name="trials",
        caption="Each trial: the mean over its final evaluations, its last and its best evaluation.",
        header="Trial",
        columns=(
            Column("seed", "Seed"),
            Column("step", "Steps"),
            Column("final", "Final"),
            Column("last", "Last"),
            Column("best", "Best"),
        ),
        rows=tuple(
            Row(
                f"{title_of(results, algorithm)} on {title_of(results, dataset)}",
                (
                    Cell(seed, decimals=0),
                    Cell(step, decimals=0, mark=_mark(finished, diverged)),
                    *(Cell(value, decimals=decimals(results, dataset, values)) for value in values),
                ),
            )
            for (algorithm, dataset, seed), step, finished, diverged, values in _trial_scores(results)
        ),
    )


def _mark(finished: bool, diverged: bool) -> str:
    return ", ".join(["unfinished"] * (not finished) + ["diverged"] * diverged)


def _trial_scores(
    results: Results,
) -> Iterator[tuple[tuple[str, str, int], int, bool, bool, tuple[float, ...]]]:
    names = ("final", "last", "best")
    trials = results.scores
    normalized = trials[list(names)].to_numpy()
    returns = trials[[f"{name}_return" for name in names]].to_numpy()
    diverged = trials["diverged"].notna().tolist()
    rows = trials[[*TRIAL, "step", "finished"]].itertuples(index=False, name=None)
    for index, (algorithm, dataset, seed, step, finished) in enumerate(rows):
        scores = normalized if results.metric[dataset] == "normalized_score" else returns
        trial = (algorithm, dataset, int(seed))
        yield trial, int(step), bool(finished), diverged[index], tuple(scores[index].tolist())


def _repeat(results: Results) -> str:
    if results.experiment is None:
        return f"harness report {results.source}"
    version = _last_run(results).get("versions", {}).get("harness", __version__)
    lines = [f"pip install offline-rl-harness=={version}"]
    commit = _last_run(results).get("git_commit")
    if commit:
        lines = [f"git checkout {commit}", "pip install ."]
    return "\n".join([*lines, f"harness run experiment.yaml --output results/{results.name}"])


def _last_run(results: Results) -> Run:
    runs = results.manifest.get("runs", [])
    return runs[-1] if runs else {}


def _run(entry: Run) -> dict[str, str]:
    """What made the results, flattened for a table."""
    machine = entry.get("machine", {})
    facts = {
        "Started": entry.get("started"),
        "Ended": entry.get("ended") or "not yet, or it was killed",
        "Commit": entry.get("git_commit"),
        "Machine": captions.listed(f"{name} {value}" for name, value in _machine(machine)),
        "Versions": captions.listed(f"{name} {value}" for name, value in entry.get("versions", {}).items()),
    }
    return {name: str(fact) for name, fact in facts.items() if fact}


def _machine(machine: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in machine.items():
        if value is not None:
            yield (
                name,
                f"{value / 2**30:.0f} GiB" if name == "memory" and isinstance(value, int) else str(value),
            )
