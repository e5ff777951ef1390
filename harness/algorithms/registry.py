"""Finds algorithms by name: built-in ones, entry points of installed packages, and `module:Class`."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

from harness import user_modules
from harness.algorithms.hyperparameters import Hyperparameters
from harness.errors import HarnessError, warn
from harness.validation import nearest

if TYPE_CHECKING:
    from harness.algorithms.learner import BatchLearner

RECORDED = "harness.algorithms.hyperparameters.base:RecordedHyperparameters"
ENTRY_POINT_GROUP = "harness.algorithms"
_importing = ContextVar("importing", default=True)


@dataclass(frozen=True)
class Algorithm:
    """The import paths of the parts of an algorithm; all are imported on demand.

    Attributes:
        name: the name in experiment files; `module:Class` for an algorithm that is not built in.
        hyperparameters: `module:Class` of its hyper-parameters.
        autograd: `module:Class` of its specification in plain PyTorch.
        fused: `module:Class` of an equal learner with hand-written derivatives, where there is one.
        title: its name in tables and figures.
        paper: the reference to cite.
        next_actions: whether its learner asks for the dataset's next actions.
        source: the SHA-256 of the files that define it, as they were imported; None if it is built in.
    """

    name: str
    hyperparameters: str
    autograd: str
    fused: str | None = None
    title: str = ""
    paper: str = ""
    next_actions: bool = False
    source: str | None = None

    @property
    def built_in(self) -> bool:
        """Whether the algorithm is part of this package."""
        return self.name in BUILT_IN

    @property
    def recorded(self) -> bool:
        """Whether only the recorded hyper-parameters are known, because the module is not imported."""
        return self.hyperparameters == RECORDED


def _built_in(
    name: str, class_name: str, title: str, paper: str, *, fused: bool = False, next_actions: bool = False
) -> Algorithm:
    return Algorithm(
        name,
        hyperparameters=f"harness.algorithms.hyperparameters.{name}:{class_name}Hyperparameters",
        autograd=f"harness.algorithms.{name}:{class_name}",
        fused=f"harness.algorithms.fused.{name}:Fused{class_name}" if fused else None,
        title=title,
        paper=paper,
        next_actions=next_actions,
    )


BUILT_IN = {
    algorithm.name: algorithm
    for algorithm in (
        _built_in("td3_bc", "TD3BC", "TD3+BC", "arXiv 2106.06860", fused=True),
        _built_in("td3", "TD3", "TD3", "arXiv 1802.09477", fused=True),
        _built_in("bc", "BC", "BC", "arXiv 2106.06860, section 3", fused=True),
        _built_in("iql", "IQL", "IQL", "arXiv 2110.06169"),
        _built_in("rebrac", "ReBRAC", "ReBRAC", "arXiv 2305.09836", next_actions=True),
        _built_in("awac", "AWAC", "AWAC", "arXiv 2006.09359"),
        _built_in("cql", "CQL", "CQL", "arXiv 2006.04779"),
        _built_in("edac", "EDAC", "EDAC", "arXiv 2110.01548"),
    )
}


def resolve(name: str) -> Algorithm:
    """Find an algorithm by its built-in name, the name of an entry point, or `module:Class`, in this order.

    Raises:
        HarnessError: if there is none, its module cannot be imported, or the class is not a learner.
    """
    if name in BUILT_IN:
        return BUILT_IN[name]
    if not _importing.get():
        return Algorithm(name, RECORDED, name, title=name.rpartition(":")[2])
    return _from_outside(name)


@contextmanager
def without_importing() -> Iterator[None]:
    """Resolve algorithms that are not built in as recorded, without importing their modules.

    Tables and figures of another user's results neither need that user's code nor may run it.
    """
    token = _importing.set(False)
    try:
        yield
    finally:
        _importing.reset(token)


@cache
def _from_outside(name: str) -> Algorithm:
    target = installed().get(name, name)
    if ":" not in target:
        raise HarnessError(
            f"unknown algorithm {name!r}{nearest(name, names())}; write your own algorithm as module:Class"
        )
    learner = _load_learner(target)
    settings = learner.hyperparameters_class
    file = inspect.getsourcefile(learner)
    return Algorithm(
        target,
        hyperparameters=f"{settings.__module__}:{settings.__qualname__}",
        autograd=target,
        title=learner.__name__ if name == target else name,
        next_actions="next_action" in learner.fields,
        source=user_modules.source_digest(learner.__module__, Path(file)) if file else None,
    )


def names() -> list[str]:
    """Return the names of all built-in algorithms and of those that installed packages offer."""
    return [*BUILT_IN, *(name for name in installed() if name not in BUILT_IN)]


def usable() -> list[str]:
    """Return `names` without the algorithms of installed packages that cannot be used; warns of these."""
    found = list(BUILT_IN)
    for name in names()[len(found) :]:
        try:
            resolve(name)
        except HarnessError as error:
            warn(f"the installed algorithm {name} is left out: {error}")
        else:
            found.append(name)
    return found


@cache
def installed() -> dict[str, str]:
    """Return the algorithms that installed packages offer as entry points: name to `module:Class`."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}


def hyperparameters_class(name: str) -> type[Hyperparameters]:
    """Return the class that validates an algorithm's hyper-parameters."""
    algorithm = resolve(name)
    found: type[Hyperparameters] = (
        _import(algorithm.hyperparameters)
        if algorithm.built_in or not _importing.get()
        else _load_learner(algorithm.autograd).hyperparameters_class
    )
    return found


def learner_class(hyperparameters: Hyperparameters) -> type[BatchLearner[Any]]:
    """Return the learner of hyper-parameters; raise a HarnessError if their implementation does not exist."""
    algorithm = resolve(hyperparameters.algorithm)
    wanted = hyperparameters.implementation
    if wanted == "fused" and algorithm.fused is None:
        raise HarnessError(f"algorithm {algorithm.name} has no fused implementation; use auto or autograd")
    if wanted != "autograd" and algorithm.fused is not None:
        return _load_learner(algorithm.fused)
    if hyperparameters.precision == "bf16":
        raise HarnessError(
            f"algorithm {algorithm.name}: precision bf16 requires a fused implementation; use fp32 or tf32"
        )
    return _load_learner(algorithm.autograd)


def _load_learner(target: str) -> type[BatchLearner[Any]]:
    return require_learner(_import(target), target)


def require_learner(found: object, target: str) -> type[BatchLearner[Any]]:
    """Return what `target` names, `module:Class`; raise a HarnessError unless it is a learner to train."""
    from harness.algorithms.data import BatchField
    from harness.algorithms.learner import BatchLearner

    if not (isinstance(found, type) and issubclass(found, BatchLearner)):
        raise HarnessError(
            f"algorithm {target}: {target.partition(':')[2]} is not a learner; derive it from "
            "harness.algorithms.AutogradLearner"
        )
    if not issubclass(getattr(found, "hyperparameters_class", object), Hyperparameters):
        raise HarnessError(
            f"algorithm {target}: name its hyper-parameters, a class derived from "
            f"harness.algorithms.Hyperparameters: class {found.__name__}(AutogradLearner[MyHyperparameters])"
        )
    if inspect.isabstract(found):
        missing = ", ".join(sorted(found.__abstractmethods__))
        raise HarnessError(f"algorithm {target}: {found.__name__} does not define {missing}")
    for field in found.fields:
        if field not in get_args(BatchField):
            raise HarnessError(
                f"algorithm {target}: {found.__name__}.fields has {field!r}, which is not a field of a batch"
                f"{nearest(field, get_args(BatchField))}"
            )
    return found


def _import(target: str) -> Any:
    module, _, attribute = target.partition(":")
    try:
        loaded = user_modules.load(module)
    except HarnessError as error:
        raise HarnessError(f"algorithm {target}: {error}") from error
    try:
        return getattr(loaded, attribute)
    except AttributeError:
        hint = user_modules.hidden_file(module) or nearest(attribute, dir(loaded))
        raise HarnessError(f"algorithm {target}: {module} has no {attribute}{hint}") from None
