"""`harness bench`: gradient steps per second on this machine."""

from __future__ import annotations

import math
from pathlib import Path

import click

from harness.commands import completers
from harness.commands.options import comma_list


@click.command()
@click.option(
    "--algorithm",
    "algorithms",
    metavar="NAME",
    multiple=True,
    shell_complete=completers.algorithms,
    help="Algorithm to measure. May be repeated.",
    show_default="all",
)
@click.option("--device", default="cpu", metavar="DEVICE", help="cpu or cuda.")
@click.option(
    "--pack",
    "packs",
    callback=comma_list(click.IntRange(1)),
    default="1",
    metavar="M,...",
    help="Seeds trained at once: 1, or 1,4,16,64.",
)
@click.option(
    "--precision",
    "precisions",
    type=click.Choice(("fp32", "tf32", "bf16")),
    multiple=True,
    default=("fp32",),
    help="Number format. May be repeated.",
)
@click.option(
    "--seconds",
    type=click.FloatRange(0, math.inf, min_open=True, max_open=True),
    default=10.0,
    metavar="S",
    help="Duration of each measurement.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Also write bench.json and a plot of it into this directory.",
)
def bench(
    algorithms: tuple[str, ...],
    device: str,
    packs: tuple[int, ...],
    precisions: tuple[str, ...],
    seconds: float,
    output: Path | None,
) -> int:
    """Measure speed on this machine.

    Measures gradient steps per second, alternating with a textbook implementation in plain PyTorch and with
    matrix products of the size that runs fastest. A CPU is measured on one core.
    """
    from harness.algorithms.registry import usable
    from harness.bench import results, steps

    cases = steps.cases(algorithms or usable(), packs, precisions, device)
    return results.show(steps.measure(cases, seconds), output)
