"""`harness policy`: listing, exporting and rebuilding the policies of finished trials."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.commands.policy_options import add_only, add_source

if TYPE_CHECKING:
    from harness.policies.card import Format
    from harness.policies.files import SavedPolicy
    from harness.storage.policies import StoredPolicy

FORMATS = {"npz": ".npz", "torchscript": ".pt", "onnx": ".onnx"}


def add_parser(subparsers: Any) -> None:
    """Add the verb to the command line."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "policy",
        help="list, export and rebuild trained policies",
        description="List, export and rebuild the policies of finished trials.",
    )
    verbs = parser.add_subparsers(metavar="VERB", required=True)
    _add_list(verbs)
    _add_export(verbs)
    _add_rebuild(verbs)


def _add_list(verbs: Any) -> None:
    parser = verbs.add_parser("list", help="every policy file with its trial, step and score")
    parser.add_argument("results", metavar="DIR", help="a results directory, or its URL")
    add_only(parser)
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run_list)


def _add_export(verbs: Any) -> None:
    parser = verbs.add_parser(
        "export",
        help="write policies as single files: npz, TorchScript or ONNX",
        description="Write policies as files that take observations as the environment gives them and "
        "return actions in its range.",
    )
    add_source(parser)
    parser.add_argument("--format", choices=FORMATS, default="npz", help="(default: npz)")
    parser.add_argument(
        "--output",
        metavar="PATH",
        help="a file, or for several policies a directory (default: VARIANT--DATASET--SEED.* here)",
    )
    parser.add_argument("--card", action="store_true", help="also write a model card (.md) next to each file")
    parser.set_defaults(run=run_export)


def _add_rebuild(verbs: Any) -> None:
    parser = verbs.add_parser(
        "rebuild",
        help="make missing policy files from checkpoints",
        description="Make the final policy of each finished trial that has none from its last checkpoint; "
        "the dataset must be on this machine, or is downloaded.",
    )
    parser.add_argument("results", metavar="DIR", help="a results directory, or its URL")
    add_only(parser)
    parser.add_argument(
        "--set",
        metavar="datasets.N.path=FILE",
        action="append",
        default=[],
        help="where a data file lies now that was moved; its content must be the same (may be repeated)",
    )
    parser.set_defaults(run=run_rebuild)


def run_list(options: argparse.Namespace) -> int:
    """List the policy files; a damaged one is named and does not hide the others."""
    import json
    import sys

    from harness.errors import HarnessError
    from harness.storage.policies import stored_policies

    rows, damaged = [], []
    for stored in stored_policies(options.results, options.only):
        try:
            rows.append(_as_row(stored))
        except HarnessError as error:
            damaged.append(error)
    if options.json:
        print(json.dumps(rows, indent=2))
    elif rows:
        _print(rows)
    elif not damaged:
        print(f"No policies; harness policy rebuild {options.results} makes those of finished trials.")
    for complaint in damaged:
        print(f"harness: error: {complaint}", file=sys.stderr)
    return 1 if damaged else 0


def _as_row(stored: StoredPolicy) -> dict[str, Any]:
    info = stored.load().info
    return {
        "variant": info.variant,
        "dataset": info.dataset,
        "seed": info.seed,
        "step": info.step,
        "chosen": info.chosen,
        "return": info.return_mean,
        "score": info.normalized_score,
        "file": stored.path,
    }


def _print(rows: list[dict[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console()
    if not console.is_terminal:
        console = Console(width=240)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        number = name in ("seed", "step", "return", "score")
        table.add_column(name, justify="right" if number else "left", no_wrap=True)
    for row in rows:
        shown = dict(row, step=f"{row['step']:,}")
        for name, digits in (("return", 2), ("score", 1)):
            shown[name] = "" if row[name] is None else f"{row[name]:,.{digits}f}"
        table.add_row(*(Text(str(value)) for value in shown.values()))
    console.print(table)


def run_export(options: argparse.Namespace) -> int:
    """Write each policy in the format, and its card where asked for."""
    from harness.errors import HarnessError
    from harness.policies.card import model_card
    from harness.storage.policies import select_policies
    from harness.writing import write_bytes, write_text

    policies = select_policies(options.source, options.only, options.policy)
    names = [_name(policy) + FORMATS[options.format] for policy in policies]
    paths = [Path(name) for name in names]
    if options.output and (len(policies) > 1 or Path(options.output).is_dir()):
        paths = [Path(options.output) / name for name in names]
    elif options.output:
        paths = [Path(options.output)]
    if len(policies) > 1 and options.output and Path(options.output).suffix in FORMATS.values():
        raise HarnessError(
            f"--output {options.output}: {len(policies)} policies do not fit in one file; name a directory, "
            "or choose one with --only"
        )
    for policy, path in zip(policies, paths, strict=True):
        write_bytes(path, _content(policy, options.format))
        print(path)
        if options.card:
            card = path.with_suffix(".md")
            write_text(card, model_card(policy, path.name, options.format))
            print(card)
    return 0


def _name(policy: SavedPolicy) -> str:
    """Return a file name for a policy, without its suffix."""
    from harness.trial import Trial, slug

    info = policy.info
    key = Trial.folder(slug(info.variant), info.dataset, info.seed)  # a file from anyone may say anything
    ends = {"final": "", "best": "--best", "step": f"--{info.step}"}
    return key + ends[info.chosen]


def _content(policy: SavedPolicy, file_format: Format) -> bytes:
    from harness.policies.files import dumps

    if file_format == "npz":
        return dumps(policy.policy, policy.info, policy.observation_size, policy.action_size)
    from harness.algorithms import export

    return export.to_onnx(policy) if file_format == "onnx" else export.to_torchscript(policy)


def run_rebuild(options: argparse.Namespace) -> int:
    """Rebuild what can be rebuilt, and say of each other trial why it cannot."""
    import sys

    from harness import experiment_file, user_modules
    from harness.storage import manifest
    from harness.storage.run_directory import RunDirectory
    from harness.storage.stores import open_store

    store = open_store(options.results)
    runs = manifest.read(store).get("runs", [])
    earlier = runs[-1].get("module_folders", []) if runs else []
    user_modules.make_importable(user_modules.folders_of_results(earlier, options.results))
    results = RunDirectory.load(store)
    results.relocate_data(experiment_file.move_data(results.experiment, options.set))
    trials = experiment_file.select(results.requested_trials(), options.only)
    from harness.tuning.rebuilding import rebuild

    made = failed = 0
    for trial, error in rebuild(results, trials):
        if error is None:
            made += 1
            print(f"rebuilt: {trial.key}")
        else:
            failed += 1
            print(f"harness: error: {trial.key}: {error}", file=sys.stderr)
    print(f"{made} policies rebuilt; {len(trials) - made - failed} of {len(trials)} trials had theirs.")
    return 1 if failed else 0
