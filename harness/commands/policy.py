"""`harness policy`: lists, exports and rebuilds the policies of finished trials."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from harness.commands.options import PATH, only_option, policies_of, relocate_option
from harness.commands.output import json_option, print_errors, print_json, print_rows
from harness.commands.running import reopen
from harness.errors import HarnessError
from harness.writing import write_bytes, write_text

if TYPE_CHECKING:
    from harness.policies.card import Format
    from harness.policies.files import SavedPolicy
    from harness.policies.names import Chosen

FORMATS = {"npz": ".npz", "torchscript": ".pt", "onnx": ".onnx"}


@click.group()
def policy() -> None:
    """List, export and rebuild trained policies."""


@policy.command("list")
@click.argument("results", metavar="DIR", type=PATH)
@only_option
@json_option
def list_policies(results: str, only: tuple[str, ...], as_json: bool) -> int:
    """List the policy files of a results directory.

    DIR is a results directory, or its URL. Each policy file is listed with its trial, gradient step and
    score. Damaged files are reported, and the others are still listed.
    """
    from harness.storage.policies import stored_policies

    rows, damaged = [], []
    for stored in stored_policies(results, only):
        try:
            info = stored.load().info
        except HarnessError as error:
            damaged.append(error)
        else:
            row = info.model_dump(include={"variant", "dataset", "seed", "step", "chosen"})
            score = info.normalized_score
            rows.append(row | {"return": info.return_mean, "score": score, "file": stored.path})
    if as_json:
        print_json(rows)
    elif rows:
        print_rows(rows, {"seed": "", "step": ",", "return": ",.2f", "score": ",.1f"})
    elif not damaged:
        print(f"No policies; rebuild them with: harness policy rebuild {shlex.quote(results)}")
    return print_errors(damaged)


@policy.command()
@policies_of
@click.option(
    "--format", "file_format", type=click.Choice(list(FORMATS)), default="npz", help="Format of the files."
)
@click.option(
    "--output",
    type=PATH,
    metavar="PATH",
    help="A file, or for several policies a directory.",
    show_default="VARIANT--DATASET--SEED.* in the current directory",
)
@click.option("--card", is_flag=True, help="Also write a model card (.md) next to each file.")
def export(
    source: str,
    only: tuple[str, ...],
    policy: Chosen | None,
    file_format: Format,
    output: str | None,
    card: bool,
) -> None:
    """Write policies as single files.

    The policies of a results directory (or its URL), or one policy file, are written as npz, TorchScript or
    ONNX files that take observations as the environment gives them and return actions in its range.
    """
    from harness.policies.card import model_card
    from harness.storage.policies import select_policies

    policies = select_policies(source, only, policy)
    names = [_name(each) + FORMATS[file_format] for each in policies]
    paths = [Path(name) for name in names]
    if output and (len(policies) > 1 or Path(output).is_dir()):
        paths = [Path(output) / name for name in names]
    elif output:
        paths = [Path(output)]
    if len(policies) > 1 and output and Path(output).suffix in FORMATS.values():
        raise HarnessError(
            f"--output {output}: {len(policies)} policies do not fit in one file; name a directory, "
            "or choose one with --only"
        )
    for each, path in zip(policies, paths, strict=True):
        write_bytes(path, _content(each, file_format))
        print(path)
        if card:
            text = path.with_suffix(".md")
            write_text(text, model_card(each, path.name, file_format))
            print(text)


def _name(policy: SavedPolicy) -> str:
    """Return a file name for a policy, without its suffix."""
    from harness.trial import Trial, slug

    info = policy.info
    key = Trial.folder(slug(info.variant), info.dataset, info.seed)  # the names come from an untrusted file
    ends = {"final": "", "best": "--best", "step": f"--{info.step}"}
    return key + ends[info.chosen]


def _content(policy: SavedPolicy, file_format: Format) -> bytes:
    from harness.policies.files import dumps

    if file_format == "npz":
        return dumps(policy.policy, policy.info, policy.observation_size, policy.action_size)
    from harness.algorithms import export

    return export.to_onnx(policy) if file_format == "onnx" else export.to_torchscript(policy)


@policy.command()
@click.argument("results", metavar="DIR", type=PATH)
@only_option
@relocate_option
def rebuild(results: str, only: tuple[str, ...], settings: tuple[str, ...]) -> int:
    """Rebuild missing policy files from checkpoints.

    Rebuilds the final policy of each finished trial without one from its last checkpoint. DIR is a results
    directory, or its URL. Datasets that are not on this machine are downloaded.
    """
    from harness import trial_selection
    from harness.tuning import rebuilding

    run, _ = reopen(results, settings)
    trials = trial_selection.select(run.requested_trials(), only)
    made = failed = 0
    for trial, error in rebuilding.rebuild(run, trials):
        if error is None:
            made += 1
            print(f"rebuilt: {trial.key}")
        else:
            failed += print_errors([f"{trial.key}: {error}"])
    print(f"rebuilt {made} of {len(trials)} policies; {len(trials) - made - failed} already existed.")
    return 1 if failed else 0
