"""Prints measurements, and writes them to bench.json, with machine and versions, and to a figure."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from harness.bench.measuring import Measurement
from harness.storage import provenance
from harness.writing import require_writable, write_bytes, write_text


def show(measurements: Iterable[Measurement], output: Path | None) -> int:
    """Print each measurement when it is complete, and write all of them if a directory is given.

    Raises:
        HarnessError: if the directory cannot be written, before anything is measured.
    """
    if output is not None:
        require_writable(output)
    done = []
    for measurement in measurements:
        print("\n".join(_lines(measurement)), flush=True)
        done.append(measurement)
    if output is not None:
        print("\n".join(f"wrote {path}" for path in write(done, output)))
    return 0


def _lines(measurement: Measurement) -> list[str]:
    lines = [f"{measurement.bench}, {measurement.case}: {measurement.ours:,.0f} {measurement.unit}"]
    if measurement.textbook is not None and measurement.ratio is not None:
        lines.append(f"    textbook form {measurement.textbook:,.0f}; ratio {measurement.ratio:.2f}")
    return lines + [f"    {name} {value:,.3g}" for name, value in measurement.details.items()]


def write(measurements: Sequence[Measurement], directory: Path) -> list[Path]:
    """Write bench.json and bench.png; the host's name is left out.

    Raises:
        HarnessError: if the directory cannot be written.
    """
    machine = {name: value for name, value in provenance.machine().items() if name != "host"}
    record: dict[str, Any] = {
        "time": provenance.now(),
        "commit": provenance.git_commit(),
        "machine": machine,
        "versions": provenance.versions(),
        "measurements": [dataclasses.asdict(measurement) for measurement in measurements],
    }
    written = [directory / "bench.json"]
    write_text(written[0], json.dumps(record, indent=2) + "\n")
    compared = [measurement for measurement in measurements if measurement.ratio is not None]
    if compared:
        written.append(directory / "bench.png")
        caption = f"{machine['processor']}, torch {record['versions'].get('torch')}, {record['time'][:10]}"
        write_bytes(written[1], _picture(compared, caption))
    return written


def _picture(compared: Sequence[Measurement], caption: str) -> bytes:
    """Draw a bar per measurement, with its ratio to the textbook implementation."""
    from matplotlib.figure import Figure

    from harness.reporting.figures import Drawing, layout, render
    from harness.reporting.figures.style import COLORS, style
    from harness.reporting.names import algorithm_label

    def label(measurement: Measurement) -> str:
        name, _, rest = measurement.case.partition(" ")
        return f"{measurement.bench.capitalize()}: {algorithm_label(name)} {rest}"

    ratios = [measurement.ratio or 0.0 for measurement in compared]
    with style():
        figure = Figure(figsize=(layout.full_width(), 0.22 * len(ratios) + 0.8), layout="constrained")
        axes = figure.subplots()
        bars = axes.barh(range(len(ratios)), ratios, color=COLORS[0], height=0.6)
        over_line = {"facecolor": "white", "edgecolor": "none", "pad": 0.5}
        axes.bar_label(bars, fmt="%.2f", padding=4, fontsize=7, bbox=over_line)
        axes.axvline(1, color="0.3", linewidth=0.8)
        axes.set_xlim(0, max(1.0, *ratios) * 1.12)
        layout.name_rows(axes, [label(measurement) for measurement in compared])
        axes.set_xlabel(f"Speed on one core relative to plain PyTorch\n{caption}")
        faster = sum(ratio > 1 for ratio in ratios)
        axes.set_title(
            f"Faster than plain PyTorch in {faster} of {len(ratios)} cases, {max(ratios):.1f} times at best"
        )
    return render(Drawing(figure, caption), "png")
