"""Making datasets by D4RL's recipe (arXiv 2004.07219, section 4): SAC trained online gives all five.

random: actions drawn uniformly; medium: SAC stopped about a third of the way from random to expert;
medium-replay: all that SAC had met by then; expert: SAC at its end; medium-expert: half of each.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, TypeAlias

import gymnasium
import numpy as np
from gymnasium.spaces import Box
from numpy.typing import NDArray

from harness import __version__
from harness.datasets.layout import Steps, check_free, write
from harness.environments.making import Environment, make
from harness.errors import HarnessError
from harness.writing import write_text

KINDS = ("random", "medium", "medium-replay", "medium-expert", "expert")
FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
MEDIUM_FRACTION = 1 / 3
PARALLEL_EPISODES = 20

BehaviourPolicy: TypeAlias = Callable[[NDArray[Any]], NDArray[Any]]
"""Observations [n, S] to actions [n, A]."""
Progress: TypeAlias = Callable[[str, int, int], None]
"""Called with what is being done, how far it is, and how far it goes."""


@dataclass(frozen=True)
class Recipe:
    environment: str
    name: str
    """Of the files: NAME_medium_replay-VERSION.hdf5, as D4RL names its own."""
    version: str = "v0"
    kinds: tuple[str, ...] = KINDS
    transitions: int = 40_000
    """At least so many in each file (whole episodes); medium-replay has what SAC had met."""
    training_steps: int = 100_000
    train_every: int = 1
    """Environment steps of SAC for each of its gradient steps; more give a larger replay buffer."""
    evaluation_interval: int = 1_000
    evaluation_episodes: int = 20
    reference_episodes: int = 1_000
    learning_rate: float = 3e-4
    seed: int = 0


class Recorder(gymnasium.Wrapper[NDArray[Any], NDArray[Any], NDArray[Any], NDArray[Any]]):
    """Keeps every step that is taken in the environment."""

    def __init__(self, environment: Environment) -> None:
        super().__init__(environment)
        self.rows: list[tuple[NDArray[Any], NDArray[Any], float, NDArray[Any], bool, bool]] = []
        self._observation: NDArray[Any]

    def reset(self, **options: Any) -> tuple[NDArray[Any], dict[str, Any]]:
        self._observation, info = self.env.reset(**options)
        return self._observation, info

    def step(self, action: NDArray[Any]) -> tuple[NDArray[Any], float, bool, bool, dict[str, Any]]:
        observation, reward, terminated, truncated, info = self.env.step(action)
        timeout = truncated and not terminated
        self.rows.append((self._observation, action, float(reward), observation, terminated, timeout))
        self._observation = observation
        return observation, float(reward), terminated, truncated, info

    def steps(self, count: int | None = None) -> Steps:
        """The first `count` steps up to the end of the last whole episode among them."""
        rows = self.rows[:count]
        while rows and not (rows[-1][4] or rows[-1][5]):
            rows.pop()
        if not rows:
            raise HarnessError("not one whole episode was collected; ask for more steps")
        columns = zip(*rows, strict=True)
        dtypes = (np.float32, np.float32, np.float32, np.float32, np.bool_, np.bool_)
        return Steps(*(np.asarray(column, dtype) for column, dtype in zip(columns, dtypes, strict=True)))


def collect(recipe: Recipe, directory: Path, progress: Progress = lambda *_: None) -> list[Path]:
    """Make the files and, beside them, NAME_reference_scores.json; return their paths.

    Raises:
        HarnessError: when the task is no task for SAC, a file is there already, or training did not get far
            enough for the recipe.
    """
    _check(recipe)
    for kind in recipe.kinds:
        check_free(_path(recipe, directory, kind), "--output, --name or --version")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with NamedTemporaryFile(dir=directory):
            pass
    except OSError as error:
        raise HarnessError(f"{directory}: cannot be written ({error.strerror})") from None
    with _environment(recipe.environment) as environment:
        random = _RandomPolicy(_box(environment, recipe.environment), recipe.seed)
    training = None if set(recipe.kinds) == {"random"} else _Training(recipe, progress)
    with _one_thread():
        return _Collection(recipe, directory, progress, random, training).write()


def _check(recipe: Recipe) -> None:
    unknown = [kind for kind in recipe.kinds if kind not in KINDS]
    if unknown:
        raise HarnessError(f"unknown kind of dataset {unknown[0]!r}; there are {', '.join(KINDS)}")
    for name, value in vars(recipe).items():
        option = f"--{name.replace('_', '-')} {value}"
        if name in ("name", "version") and not FILE_NAME.fullmatch(value):
            raise HarnessError(f"{option}: must be letters, digits, and . _ - between them")
        if isinstance(value, int | float) and not (value > 0 or (name == "seed" and value == 0)):
            raise HarnessError(f"{option}: must be {'0 or more' if name == 'seed' else 'above 0'}")


def _path(recipe: Recipe, directory: Path, kind: str) -> Path:
    return directory / f"{recipe.name}_{kind.replace('-', '_')}-{recipe.version}.hdf5"


class _Collection:
    """The files of one recipe, each described by how it was made."""

    def __init__(
        self,
        recipe: Recipe,
        directory: Path,
        progress: Progress,
        random: BehaviourPolicy,
        training: _Training | None,
    ) -> None:
        self.recipe, self.directory, self.progress = recipe, directory, progress
        self.random, self.training = random, training

    def write(self) -> list[Path]:
        self.random_return = self._mean_return(self.random, "random policy")
        paths = []
        self.scores: dict[str, float] = {}
        if self.training is not None:
            self.training.run()
            expert_return = self._mean_return(self.training.expert, "expert")
            self.training.choose_medium(self.random_return, expert_return)
            self.scores = {
                "reference_min_score": self.random_return,
                "reference_max_score": expert_return,
            }
            paths.append(self._write_scores())
        for kind in self.recipe.kinds:
            paths.append(self._write_kind(kind))
        return paths

    def _write_kind(self, kind: str) -> Path:
        recipe, training, count = self.recipe, self.training, self.recipe.transitions
        if training is None or kind == "random":
            steps, policy = self._roll_out(self.random, count, kind), "uniformly random actions"
        elif kind == "medium":
            steps, policy = self._roll_out(training.medium, count, kind), training.medium_description
        elif kind == "expert":
            steps, policy = self._roll_out(training.expert, count, kind), training.expert_description
        elif kind == "medium-replay":
            steps = training.recorder.steps(training.medium_step)
            policy = f"all steps that SAC took in training up to: {training.medium_description}"
        else:
            halves = (
                self._roll_out(training.medium, count // 2, kind),
                self._roll_out(training.expert, count // 2, kind),
            )
            steps = Steps.concatenate(halves)
            policy = f"half {training.medium_description}, half {training.expert_description}"
        path = _path(recipe, self.directory, kind)
        write(path, steps, self._attributes(kind, policy, steps))
        return path

    def _attributes(self, kind: str, policy: str, steps: Steps) -> dict[str, str | int | float]:
        returns = steps.episode_returns()
        return {
            "environment": self.recipe.environment,
            "dataset": f"{self.recipe.name}-{kind}-{self.recipe.version}",
            "policy": policy,
            "episodes": len(returns),
            "mean_return": float(returns.mean()),
            "std_return": float(returns.std()),
            "seed": self.recipe.seed,
            **self.scores,
            **_versions(),
        }

    def _write_scores(self) -> Path:
        recipe = self.recipe
        path = self.directory / f"{recipe.name}_reference_scores.json"
        text = (
            json.dumps(
                {
                    "environment": recipe.environment,
                    "minimum": self.scores["reference_min_score"],
                    "maximum": self.scores["reference_max_score"],
                    "episodes": recipe.reference_episodes,
                    "how": (
                        "mean undiscounted return of uniformly random actions (minimum) and of the SAC "
                        f"expert that made the expert dataset, its actions sampled (maximum), each over "
                        f"{recipe.reference_episodes} episodes"
                    ),
                    "seed": recipe.seed,
                    "training_steps": recipe.training_steps,
                    "train_every": recipe.train_every,
                    "learning_rate": recipe.learning_rate,
                    **_versions(),
                },
                indent=2,
            )
            + "\n"
        )
        write_text(path, text)
        return path

    def _mean_return(self, policy: BehaviourPolicy, what: str) -> float:
        returns = episode_returns(
            self.recipe.environment,
            policy,
            self.recipe.reference_episodes,
            _seed(self.recipe.seed, what),
            lambda done, total: self.progress(f"measuring the {what}", done, total),
        )
        return float(returns.mean())

    def _roll_out(self, policy: BehaviourPolicy, count: int, kind: str) -> Steps:
        return roll_out(
            self.recipe.environment,
            policy,
            count,
            _seed(self.recipe.seed, kind),
            lambda done, total: self.progress(f"collecting {kind}", done, total),
        )


class _Training:
    """SAC trained online, its actor kept at every evaluation."""

    def __init__(self, recipe: Recipe, progress: Progress) -> None:
        try:
            from stable_baselines3 import SAC
        except ImportError:
            raise HarnessError(
                "collecting medium or expert data trains stable-baselines3's SAC, which is not installed: "
                "pip install 'offline-rl-harness[collect]'"
            ) from None
        self.recipe, self.progress = recipe, progress
        self.recorder = Recorder(make(recipe.environment))
        self.model = SAC(
            "MlpPolicy",
            self.recorder,
            learning_rate=recipe.learning_rate,
            train_freq=recipe.train_every,
            buffer_size=recipe.training_steps,
            seed=recipe.seed,
            device="cpu",
        )
        self.actors: dict[int, dict[str, Any]] = {}
        self.returns: dict[int, float] = {}

    def run(self) -> None:
        recipe = self.recipe
        while (step := self.model.num_timesteps) < recipe.training_steps:
            last = f", return {self.returns[step]:.0f}" if step in self.returns else ""
            self.progress(f"training SAC{last}", step, recipe.training_steps)
            self.model.learn(
                min(recipe.evaluation_interval, recipe.training_steps - step), reset_num_timesteps=False
            )
            self._evaluate(self.model.num_timesteps)
        self.progress("training SAC", recipe.training_steps, recipe.training_steps)

    def _evaluate(self, step: int) -> None:
        state = self.model.actor.state_dict()
        self.actors[step] = {key: value.clone() for key, value in state.items()}
        seed = _seed(self.recipe.seed, "evaluation")
        returns = episode_returns(
            self.recipe.environment, self._policy(step), self.recipe.evaluation_episodes, seed
        )
        self.returns[step] = float(returns.mean())

    def choose_medium(self, random_return: float, expert_return: float) -> None:
        """The stage nearest to a third of the way, among those until SAC first was two thirds there."""
        way = {
            step: (value - random_return) / (expert_return - random_return)
            for step, value in self.returns.items()
        }
        late = next((step for step in way if way[step] > 2 * MEDIUM_FRACTION), max(way))
        self.medium_step = min(
            (step for step in way if step <= late), key=lambda step: abs(way[step] - MEDIUM_FRACTION)
        )
        if expert_return <= random_return or abs(way[self.medium_step] - MEDIUM_FRACTION) > 0.15:
            raise HarnessError(
                f"no stage of SAC's training is near a third of the way from the random policy's return "
                f"({random_return:.1f}) to the expert's ({expert_return:.1f}): "
                "train longer or evaluate more often"
            )

    @property
    def medium(self) -> BehaviourPolicy:
        return self._policy(self.medium_step)

    @property
    def expert(self) -> BehaviourPolicy:
        return self._policy(max(self.actors))

    @property
    def medium_description(self) -> str:
        return f"SAC after {self.medium_step} steps, actions sampled"

    @property
    def expert_description(self) -> str:
        return f"SAC after {max(self.actors)} steps, actions sampled"

    def _policy(self, step: int) -> BehaviourPolicy:
        policy = deepcopy(self.model.policy)
        policy.actor.load_state_dict(self.actors[step])

        def act(observations: NDArray[Any]) -> NDArray[Any]:
            actions: NDArray[Any] = policy.predict(observations, deterministic=False)[0]
            return actions

        return act


class _RandomPolicy:
    def __init__(self, actions: Box, seed: int) -> None:
        self.actions = actions
        self.generator = np.random.default_rng(_seed(seed, "random policy"))

    def __call__(self, observations: NDArray[Any]) -> NDArray[Any]:
        shape = (len(observations), *self.actions.shape)
        drawn = self.generator.uniform(self.actions.low, self.actions.high, shape)
        return drawn.astype(self.actions.dtype)


def roll_out(
    environment: str,
    policy: BehaviourPolicy,
    count: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> Steps:
    """At least `count` steps in whole episodes; every parallel copy of the task takes an equal share."""
    copies = max(1, min(PARALLEL_EPISODES, count // 200))
    share = -(-count // copies)
    recorders = [Recorder(make(environment)) for _ in range(copies)]
    observations = [recorder.reset(seed=seed + i)[0] for i, recorder in enumerate(recorders)]
    running = list(range(copies))
    while running:
        actions = policy(np.stack([observations[i] for i in running]))
        for i, action in zip(tuple(running), actions, strict=True):
            observations[i], _, terminated, truncated, _ = recorders[i].step(action)
            if terminated or truncated:
                if len(recorders[i].rows) >= share:
                    running.remove(i)
                else:
                    observations[i], _ = recorders[i].reset()
                progress(min(sum(len(recorder.rows) for recorder in recorders), count), count)
    return Steps.concatenate([recorder.steps() for recorder in recorders])


def episode_returns(
    environment: str,
    policy: BehaviourPolicy,
    episodes: int,
    seed: int,
    progress: Callable[[int, int], None] = lambda *_: None,
) -> NDArray[np.float64]:
    """[episodes] undiscounted returns, an equal share from each parallel copy of the task."""
    returns: list[float] = []
    for first in range(0, episodes, PARALLEL_EPISODES):
        count = min(PARALLEL_EPISODES, episodes - first)
        environments = [make(environment) for _ in range(count)]
        observations = [copy.reset(seed=seed + first + i)[0] for i, copy in enumerate(environments)]
        totals = np.zeros(count)
        running = list(range(count))
        while running:
            actions = policy(np.stack([observations[i] for i in running]))
            for i, action in zip(tuple(running), actions, strict=True):
                observations[i], reward, terminated, truncated, _ = environments[i].step(action)
                totals[i] += float(reward)
                if terminated or truncated:
                    running.remove(i)
        returns.extend(totals)
        progress(len(returns), episodes)
    return np.array(returns)


@contextmanager
def _environment(name: str) -> Iterator[Environment]:
    environment = make(name)
    try:
        yield environment
    finally:
        environment.close()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks as small as SAC's are slower on several threads, and not always the same bit for bit."""
    try:
        import torch
    except ImportError:
        yield
        return
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _box(environment: Environment, name: str) -> Box:
    observations, actions = environment.observation_space, environment.action_space
    if not (isinstance(actions, Box) and np.isfinite(actions.low).all() and np.isfinite(actions.high).all()):
        raise HarnessError(f"environment {name}: collect needs a bounded Box of actions, not {actions}")
    if not (isinstance(observations, Box) and len(observations.shape) == 1):
        raise HarnessError(f"environment {name}: collect needs flat observations, not {observations}")
    return actions


def _seed(seed: int, what: str) -> int:
    """A seed of its own for each part of the recipe."""
    return int(np.random.SeedSequence([seed, *what.encode()]).generate_state(1)[0] % 2**31)


def _versions() -> dict[str, str]:
    packages = ("gymnasium", "stable-baselines3", "torch", "numpy")
    found = {f"{package}_version".replace("-", "_"): version(package) for package in packages}
    return found | {"harness_version": __version__}
