"""The result of a finished trial, as stored in its file."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from harness.columns import COLUMNS, TRIAL
from harness.errors import HarnessError
from harness.trial import Trial
from harness.validation import first_problem


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Convert numbers that are stored as text because they are not finite (see `checksummed_json.dumps`)."""
    numbers = {
        name: [_number(item) for item in value] if isinstance(value, list) else _number(value)
        for name, value in row.items()
        if isinstance(value, str | list) and COLUMNS.get(name) != "text"
    }
    return row | numbers


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, str) else value


class ResultContent(TypedDict):
    """What a worker records about a trial: the evaluations, and what they were made with."""

    algorithm: str
    dataset: str
    seed: int
    rows: list[Annotated[dict[str, Any], AfterValidator(_decoded)]]
    """One row per evaluation (`Evaluation.to_row`)."""
    dataset_digest: str
    transitions: int
    environment: str
    policies: NotRequired[dict[str, str]]
    """SHA-256 of each policy file."""
    device: NotRequired[str]
    machine: NotRequired[dict[str, Any]]
    versions: NotRequired[dict[str, str]]
    finished: NotRequired[str]


class TrialResult(ResultContent):
    """The content of result.json."""

    __pydantic_config__ = ConfigDict(extra="allow")  # type: ignore[misc]

    trial: str
    """Digest of the trial's settings."""


_RESULT = TypeAdapter(TrialResult)


def parse(content: dict[str, Any], trial: Trial, source: str) -> TrialResult:
    """Return the content of a file; raise a HarnessError naming `source` if it is not this trial's result."""
    reason = None
    try:
        result = _RESULT.validate_python(content)
    except ValidationError as error:
        reason = first_problem(error)
    else:
        for name, expected in zip(TRIAL, (trial.algorithm, trial.dataset.name, trial.seed), strict=True):
            if content[name] != expected:
                reason = f"{name} is {content[name]!r}, expected {expected!r}"
    if reason is None:
        return result
    raise HarnessError(f"{source} is not the result of this trial ({reason}); remove it and resume the run")
