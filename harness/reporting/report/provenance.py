"""The provenance of the results in a report, and commands to reproduce them."""

from __future__ import annotations

import shlex
from collections.abc import Sized
from pathlib import Path

from harness import __version__
from harness.reporting import captions
from harness.reporting.results import Results
from harness.storage.manifest import Run


def facts(results: Results) -> dict[str, str]:
    """Return facts about the results, by name."""
    trials: dict[str, Sized] = {
        "finished": results.finished,
        "diverged": results.diverged,
        "missing": results.missing,
    }
    every = {
        "Trials": ", ".join(f"{len(each):,} {state}" for state, each in trials.items() if len(each)),
        "Variants": captions.listed(results.title(name) for name in results.algorithms),
        "Datasets": captions.listed(results.title(name) for name in results.datasets),
        "Seeds": captions.seeds(results),
        "Searches": " ".join(captions.choices(results)),
        "Protocol": captions.protocol(results).rstrip("."),
        "Environments": captions.listed(results.environments),
        "From": results.source,
    }
    return {name: fact for name, fact in every.items() if fact}


def shown_source(results: Results, with_host: bool) -> str:
    """Return the source of the results; of an absolute path only its end, unless `with_host`."""
    if with_host or "://" in results.source or not Path(results.source).is_absolute():
        return results.source
    return Path(results.source).name


def repeat(results: Results) -> str:
    """Return the commands that reproduce the results."""
    if results.experiment is None:
        return f"harness report {shlex.quote(results.source)}"
    last = (results.manifest.get("runs") or [Run()])[-1]
    version = last.get("versions", {}).get("harness", __version__)
    install = f"pip install offline-rl-harness=={version}"
    if commit := last.get("git_commit"):
        install = f"git checkout {commit}\npip install ."
    return f"{install}\nharness run experiment.yaml --output results/{results.name}"


def run(entry: Run, with_host: bool) -> dict[str, str]:
    """Return the versions and machine of a run."""
    machine = {
        name: f"{value / 2**30:.0f} GiB" if name == "memory" else value
        for name, value in entry.get("machine", {}).items()
        if value is not None and (with_host or name != "host")
    }
    every = {
        "Started": entry.get("started"),
        "Ended": entry.get("ended") or "not yet, or it was killed",
        "Commit": entry.get("git_commit"),
        "Machine": captions.listed(f"{name} {value}" for name, value in machine.items()),
        "Versions": captions.listed(f"{name} {value}" for name, value in entry.get("versions", {}).items()),
    }
    return {name: str(fact) for name, fact in every.items() if fact}
