"""`harness init`: writes a commented experiment for a task, which runs without changes."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from string import Template

import click

from harness.commands import completers
from harness.commands.options import PATH
from harness.errors import HarnessError
from harness.writing import write_text


@dataclass(frozen=True)
class Protocol:
    """The customary settings of the datasets of a task."""

    steps: int = 1_000_000
    interval: int = 5_000
    episodes: int = 10
    iql: str = "{}"
    data: str = "{}"


ADROIT = Protocol(iql="{expectile: 0.8, actor_dropout: 0.1}")
PROTOCOLS = {
    "pendulum": Protocol(steps=10_000, interval=250),
    "maze2d": Protocol(episodes=100),
    "antmaze": Protocol(episodes=100, iql="{expectile: 0.9, beta: 10}", data="{rewards: {shift: -1}}"),
    "kitchen": Protocol(iql="{beta: 0.5, actor_dropout: 0.1}"),
    **dict.fromkeys(("pen", "door", "hammer", "relocate"), ADROIT),
    "ogbench": Protocol(interval=100_000, episodes=50, data="{timeout_steps: keep}"),
}
"""By the first word of a dataset's name: IQL has the hyper-parameters of arXiv 2110.06169, appendix B, and in
Adroit those of CORL; evaluations in mazes follow CORL, in OGBench arXiv 2410.20092."""


@click.command()
@click.argument(
    "dataset",
    metavar="[TASK|DATASET]",
    default="pendulum-medium-replay-v0",
    shell_complete=completers.tasks,
)
@click.option(
    "--output", type=PATH, metavar="FILE", help="New file.", show_default="TASK.yaml or DATASET.yaml"
)
def init(dataset: str, output: str | None) -> None:
    """Write a commented experiment for a task.

    The experiment compares TD3+BC, IQL and BC on a DATASET (hopper-medium-v2, minari:ID or ogbench:NAME) or
    on the newest version of all datasets of a TASK (hopper). By default the dataset is a small one that comes
    with the package.
    """
    from harness import experiment_file
    from harness.trial import slug

    names = _datasets(dataset)
    path = Path(output or f"{slug(dataset.rpartition(':')[2])}.yaml")
    if path.exists():
        raise HarnessError(f"{path} already exists; choose another name with --output, or remove it")
    template = resources.files("harness") / "templates" / "experiment.yaml.txt"
    text = Template(template.read_text(encoding="utf-8")).substitute(
        vars(PROTOCOLS.get(names[0].replace(":", "-").partition("-")[0], Protocol())),
        name=path.stem,
        datasets="".join(f"  - {each}\n" for each in names),
    )
    experiment = experiment_file.parse(text, str(path))
    write_text(path, text)
    print(f"wrote {path}: {len(experiment.trials())} trials of {experiment.training.gradient_steps:,} steps")
    print(f"check it with: harness run {shlex.quote(str(path))} --dry-run")
    print(f"run it with:   harness run {shlex.quote(str(path))}")


def _datasets(name: str) -> list[str]:
    """Return the dataset of this name, or the datasets of the newest version of a task."""
    from harness import datasets
    from harness.datasets import registry
    from harness.validation import nearest

    registered = registry.registered()
    if name in registered or name in registry.installed() or ":" in name:
        datasets.check(name)
        return [name]
    found = [known for known in registered if known.startswith(f"{name}-")]
    if not found:
        known = dict.fromkeys([*registry.tasks(), *registered])
        raise HarnessError(
            f"unknown task or dataset {name!r}{nearest(name, known)} (`harness data list` shows all; "
            "--output names the new file)"
        )
    newest = max(known.rpartition("-v")[2] for known in found)
    return [known for known in found if known.endswith(f"-v{newest}")]
