"""Arguments and options that several verbs share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from harness.commands import completers
from harness.reporting.catalogue import SAMPLE_RULES, SCORES

Function = TypeVar("Function", bound=Callable[..., Any])


def comma_list(
    item: click.ParamType[Any],
) -> Callable[[click.Context, click.Parameter, str | None], tuple[Any, ...]]:
    """Return the `callback` of an option whose value is a comma-separated list of items of a type."""

    def convert(context: click.Context, parameter: click.Parameter, text: str | None) -> tuple[Any, ...]:
        if text is None:
            return ()
        words = [word.strip() for word in text.split(",") if word.strip()]
        if not words:
            raise click.BadParameter("give at least one.")
        return tuple(dict.fromkeys(item.convert(word, parameter, context) for word in words))

    return convert


def debugging() -> bool:
    """Return whether `--debug` was given."""
    return bool(click.get_current_context().obj)


PATH = click.Path(readable=False)
"""A path or URL, which is checked when it is opened; shells complete it."""

score_option = click.option(
    "--score",
    type=click.Choice(SCORES),
    default="final",
    help="Score of each trial: the mean of its final 10 evaluations, the last one, or the best one.",
)
select_option = click.option(
    "--select",
    type=click.Choice(list(SAMPLE_RULES)),
    default="best",
    help="The sample to show of each search for hyper-parameters: "
    + "; ".join(f"{name}, {what}" for name, what in SAMPLE_RULES.items())
    + ".",
)
only_option = click.option(
    "--only",
    metavar="KEY=NAME",
    multiple=True,
    help="Select trials: algorithm=bc, dataset=hopper-medium-v2 or seed=0,1. May be repeated.",
)
seeds_option = click.option(
    "--seeds", metavar="N|LIST", help="Number of seeds, such as 3, or a list of them, such as 0,4,7."
)
settings_option = click.option(
    "--set",
    "settings",
    metavar="PATH=VALUE",
    multiple=True,
    help="Change a value of the file: training.gradient_steps=20000. May be repeated.",
)
relocate_option = click.option(
    "--set",
    "settings",
    metavar="datasets.N.path=FILE",
    multiple=True,
    help="New path of a data file that was moved; its content must be the same. May be repeated.",
)


def published_option(effect: str) -> Callable[[Function], Function]:
    """Return the option that chooses published scores; `effect` states what the verb does with them."""
    return click.option(
        "--published",
        metavar="NAME[:ALGORITHM,...]",
        multiple=True,
        shell_complete=completers.published,
        help=f"{effect} from the source NAME: the algorithms that the results have too, or those after the "
        "colon, as in corl-last:td3_bc,iql,cql. NAME,NAME or a second --published adds a source; `harness "
        "published list` shows all.",
    )


def policies_of(function: Function) -> Function:
    """Add the options that choose policies: a results directory and its trials, or one policy file."""
    source = click.argument("source", metavar="DIR|FILE", type=PATH)
    which = click.option(
        "--policy",
        type=click.Choice(("final", "best", "step")),
        help="Which policies of each trial, as training.save_policy kept them: the final one, the best one, "
        "or those of every N gradient steps.",
        show_default="the final one, else the best",
    )
    return source(only_option(which(function)))


def environment_of(function: Function) -> Function:
    """Add the options that set the environment of episodes and their start states."""
    environment = click.option(
        "--environment",
        metavar="ID",
        help="A gymnasium id, or MODULE:ID if importing MODULE registers it.",
        show_default="the policy's own",
    )
    seed = click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Determines, with the trial's seed, the start of each episode.",
        show_default="the recorded one",
    )
    return environment(seed(function))
