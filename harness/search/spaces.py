"""The spaces from which values of a hyper-parameter are drawn, such as `{log_uniform: [0.1, 10]}`."""

from __future__ import annotations

from abc import abstractmethod
from typing import Annotated, Any, TypeAlias, TypeVar, get_args

from pydantic import AfterValidator, Field
from typing_extensions import override

from harness.errors import HarnessError
from harness.search.search import Value
from harness.validation import Number, Settings, Whole, short, validate

DIGITS = 6
"""Significant digits of a drawn number: more than enough, and few enough to be equal on all machines."""
Bound = TypeVar("Bound", int, float)


def require_different(values: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return the values if none is listed twice.

    Raises:
        ValueError: if a value is listed twice.
    """
    twice = next((value for index, value in enumerate(values) if value in values[:index]), None)
    if twice is not None:
        raise ValueError(f"{twice} is listed twice")
    return values


def _ordered(ends: tuple[Bound, Bound]) -> tuple[Bound, Bound]:
    low, high = ends
    if low == high:
        raise ValueError(f"the range from {low:g} to {high:g} is empty; set the hyper-parameter to {low:g}")
    if low > high:
        raise ValueError(f"the range is inverted; write [{high:g}, {low:g}]")
    return ends


def _positive(ends: tuple[Bound, Bound]) -> tuple[Bound, Bound]:
    if ends[0] <= 0:
        raise ValueError(
            f"must start above 0, not at {ends[0]:g}; use a range without log_ to include 0 or negative "
            "numbers"
        )
    return ends


def _rounded(value: float, low: float, high: float) -> float:
    return min(max(float(f"{value:.{DIGITS}g}"), low), high)


class Space(Settings):
    """The space from which values of a hyper-parameter are drawn, with a single field: ends or choices."""

    @abstractmethod
    def value(self, position: float) -> Value:
        """Return the value at a position in [0, 1)."""

    @property
    def to_check(self) -> tuple[Value, ...]:
        """Return the values that the hyper-parameter must accept: both ends, or every choice."""
        values: tuple[Value, ...] = getattr(self, next(iter(type(self).model_fields)))
        return values

    @property
    def size(self) -> int | None:
        """Return how many different values there are; None for a continuous range."""
        return None


class Uniform(Space):
    """Draws numbers uniformly between two ends."""

    uniform: Annotated[tuple[Number, Number], AfterValidator(_ordered)]

    @override
    def value(self, position: float) -> float:
        low, high = self.uniform
        return _rounded(low + position * (high - low), low, high)


class LogUniform(Space):
    """Draws numbers whose logarithms are uniform between two positive ends."""

    log_uniform: Annotated[tuple[Number, Number], AfterValidator(_ordered), AfterValidator(_positive)]

    @override
    def value(self, position: float) -> float:
        low, high = self.log_uniform
        return _rounded(low * (high / low) ** position, low, high)


class Integers(Space):
    """Draws whole numbers uniformly between two ends, both included."""

    integers: Annotated[tuple[Whole, Whole], AfterValidator(_ordered)]

    @override
    def value(self, position: float) -> int:
        return self.integers[0] + int(position * self.size)

    @override
    @property
    def size(self) -> int:
        return self.integers[1] - self.integers[0] + 1


class LogIntegers(Space):
    """Draws whole numbers whose logarithms are uniform between two positive ends, both included."""

    log_integers: Annotated[tuple[Whole, Whole], AfterValidator(_ordered), AfterValidator(_positive)]

    @override
    def value(self, position: float) -> int:
        low, high = self.log_integers
        outer = low - 0.5
        drawn: float = outer * ((high + 0.5) / outer) ** position
        return min(max(round(drawn), low), high)

    @override
    @property
    def size(self) -> int:
        return self.log_integers[1] - self.log_integers[0] + 1


class Choice(Space):
    """Draws one of the listed values, all with equal probability."""

    choice: Annotated[tuple[Any, ...], Field(min_length=1), AfterValidator(require_different)]

    @override
    def value(self, position: float) -> Value:
        chosen: Value = self.choice[int(position * self.size)]
        return chosen

    @override
    @property
    def size(self) -> int:
        return len(self.choice)


AnySpace: TypeAlias = Uniform | LogUniform | Integers | LogIntegers | Choice
SPACES: dict[str, type[AnySpace]] = {next(iter(space.model_fields)): space for space in get_args(AnySpace)}


def read_space(raw: object) -> AnySpace:
    """Read a mapping such as `{uniform: [0, 1]}`.

    Raises:
        ValueError: if it is anything else, or the range is empty or inverted.
    """
    if isinstance(raw, Space):
        raw = raw.model_dump()
    known = SPACES.get(str(next(iter(raw)))) if isinstance(raw, dict) and len(raw) == 1 else None
    if known is None:
        raise ValueError(
            f"must be a list of values or a range ({', '.join(SPACES)}), such as "
            f"{{log_uniform: [0.1, 10]}}; got {short(raw)}"
        )
    try:
        return validate(known, raw)
    except HarnessError as error:
        raise ValueError(str(error)) from None
