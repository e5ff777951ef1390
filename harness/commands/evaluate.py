"""`harness evaluate`: further evaluation episodes of trained policies."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness import user_modules
from harness.commands.options import PATH, debugging, environment_of, policies_of
from harness.commands.output import json_option, print_errors, print_json, print_rows
from harness.errors import HarnessError
from harness.writing import write_bytes

if TYPE_CHECKING:
    from harness.policies.names import Chosen
    from harness.training.policy_evaluation import PolicyEvaluation


@click.command()
@policies_of
@click.option("--episodes", type=click.IntRange(1), default=100, metavar="N", help="Episodes of each policy.")
@environment_of
@click.option(
    "--output",
    type=PATH,
    metavar="FILE",
    help="A .parquet file.",
    show_default="the next DIR/evaluation-N.parquet; for a policy file, in the current directory",
)
@json_option
def evaluate(
    source: str,
    only: tuple[str, ...],
    policy: Chosen | None,
    episodes: int,
    environment: str | None,
    seed: int | None,
    output: str | None,
    as_json: bool,
) -> int:
    """Evaluate trained policies again.

    Runs episodes of the saved policies of a results directory (or its URL) or of one policy file, on all
    cores, and writes the returns to a file that table, plot and compare read.
    """
    from harness.datasets.progress import bar
    from harness.storage.policies import select_policies
    from harness.training.policy_evaluation import environment_for, require_fit
    from harness.tuning import evaluating

    if output and not output.endswith(".parquet"):
        raise HarnessError(f"--output {output}: the name must end in .parquet")
    policies = select_policies(source, only, policy)
    environments = [environment_for(each, environment) for each in policies]
    user_modules.make_importable([str(Path.cwd())])
    require_fit(policies, environments)
    pairs = list(zip(policies, environments, strict=True))
    evaluations: list[PolicyEvaluation] = []
    failures: list[HarnessError] = []
    with bar("evaluating") as advance:
        for each in evaluating.evaluate(pairs, episodes, seed, debugging()):
            if isinstance(each, HarnessError):
                failures.append(each)
            else:
                evaluations.append(each)
            advance("", len(evaluations) + len(failures), len(policies))
    if evaluations:
        written = _write([evaluation.to_row() for evaluation in evaluations], source, output)
        _print(evaluations, written, as_json)
    return print_errors(failures)


def _write(rows: list[dict[str, Any]], source: str, output: str | None) -> str:
    """Write the rows to a file and return its path."""
    from harness.storage.assembly import parquet_bytes, table_of_rows
    from harness.storage.stores import open_store

    data = parquet_bytes(table_of_rows(rows))
    if output:
        write_bytes(output, data)
        return output
    is_directory = "://" in source or Path(source).is_dir()
    store = open_store(source if is_directory else ".")
    names = (f"evaluation-{number}.parquet" for number in itertools.count(1))
    name = next(name for name in names if store.create(name, data))
    return f"{store.target}/{name}" if is_directory else name


def _print(evaluations: Sequence[PolicyEvaluation], output: str, as_json: bool) -> None:
    if as_json:
        print_json({"file": output, "each": [_as_dict(each) for each in evaluations]})
        return
    episodes = len(evaluations[0].returns)
    print(
        f"Return over {episodes:,} episode{'s' * (episodes != 1)} of each policy: mean, standard deviation "
        "(ddof 0) and standard error of the mean.\n"
    )
    rows = [_as_row(each) for each in evaluations]
    formats = {"seed": "", "step": ",", "return": ",.2f", "std": ",.2f", "SE": ",.2f", "score": ",.1f"}
    print_rows(rows, formats)
    compared = [each for each in evaluations if each.reproduced is not None]
    if compared:
        same = sum(bool(each.reproduced) for each in compared)
        count = len(compared[0].policy.info.episode_returns)
        print(
            f"\nThe first {'episode repeats' if count == 1 else f'{count} episodes repeat'} the recorded "
            f"evaluation, with exactly equal returns for {same} of {len(compared)} policies."
        )
    if any(each.policy.info.reference and each.normalized_score is None for each in evaluations):
        print(
            "\nNo normalized score is given for policies whose reference returns belong to another "
            "environment."
        )
    if any(each.policy.info.chosen == "best" for each in evaluations):
        print("\nPolicies were chosen as the best of their trials' own evaluations.")
    print(f"results: {output} (harness table {shlex.quote(output)})")


def _as_dict(evaluation: PolicyEvaluation) -> dict[str, Any]:
    info = evaluation.policy.info
    names = ("return_mean", "return_std", "standard_error", "normalized_score", "returns", "reproduced")
    return {
        **info.model_dump(include={"variant", "dataset", "seed", "step", "chosen"}),
        "environment": str(evaluation.environment),
        **{name: getattr(evaluation, name) for name in names},
    }


def _as_row(evaluation: PolicyEvaluation) -> dict[str, Any]:
    """Return the values of an evaluation that are shown to people."""
    info = evaluation.policy.info
    return {
        "policy": f"{info.variant} on {info.dataset}",
        "seed": info.seed,
        "step": info.step,
        "return": evaluation.return_mean,
        "std": evaluation.return_std,
        "SE": evaluation.standard_error,
        "score": evaluation.normalized_score,
    }
