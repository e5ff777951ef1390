"""The result of a finished trial, as stored in its file."""

from __future__ import annotations

from typing import Annotated, Any, NotRequired

from pydantic import AfterValidator, ConfigDict, TypeAdapter, ValidationError
from typing_extensions import TypedDict

from harness.columns import COLUMNS, TRIAL, Kind
from harness.errors import HarnessError
from harness.trial import Trial
from harness.validation import SEED_LIMIT, first_problem


def _decoded(row: dict[str, Any]) -> dict[str, Any]:
    """Check values, and convert numbers that are text because they are not finite (`checksummed_json`)."""
    if type(row.get("step")) is not int:
        raise ValueError("step is not a whole number")
    others = {
        name: _value(value, COLUMNS.get(name, "number"))
        for name, value in row.items()
        if type(value) is not float or name in COLUMNS
    }
    return row | others


def _value(value: Any, kind: Kind) -> Any:
    if value is None or (kind == "text" and isinstance(value, str)):
        return value
    if kind == "numbers" and isinstance(value, list):
        return [_number(item) for item in value]
    if kind in ("text", "numbers"):
        raise ValueError(f"{value!s:.40} is not {kind}")
    return _number(value)


def _number(value: Any) -> Any:
    if isinstance(value, str):
        return float(value)
    if type(value) is float or (type(value) is int and abs(value) <= SEED_LIMIT):
        return value
    raise ValueError(f"{value!s:.40} is not a number")


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
        identity = dict(zip(TRIAL, (trial.algorithm, trial.dataset.name, trial.seed), strict=True))
        for row in (content, *result["rows"]):
            for name in identity.keys() & row:
                if row[name] != identity[name]:
                    reason = f"{name} is {row[name]!r}, expected {identity[name]!r}"
    if reason is None:
        return result
    raise HarnessError(f"{source} is not the result of this trial ({reason}); remove it and resume the run")
