"""Runs d4rl's own environments on the mujoco package, in a Python that has d4rl 1.1 without its dependencies.

    environments_oracle.py specs                prints what d4rl registers, as JSON
    environments_oracle.py model ID OUT         writes the arrays of the compiled model, as the npz file OUT
    environments_oracle.py resets ID COUNT OUT  writes the states, observations and goals after COUNT resets
    environments_oracle.py steps ID IN OUT      steps from the states, goals and actions of IN; what else IN
                                                has replaces the model's fields of that name
    environments_oracle.py simulate MODEL IN OUT STEPS
                                                writes the states of the MJCF file MODEL after STEPS steps
                                                from each state and controls of IN
    environments_oracle.py waypoints ID COUNT   prints the returns of d4rl's waypoint controller in our Maze2D

d4rl's environments derive from gym's MujocoEnv and use mujoco-py, which do not install on current Python.
Replacements with the same names call the mujoco package in the order in which gym 0.23 calls mujoco-py;
everything else (models, actions, observations, rewards, ends, goals, starts) is d4rl's own code.
"""

from __future__ import annotations

import atexit
import collections
import importlib
import json
import os
import shutil
import sys
import tempfile
import types
from pathlib import Path
from typing import Any

import mujoco
import numpy as np

REGISTERED: dict[str, dict[str, Any]] = {}


class Data:
    """Replaces mujoco-py's MjData: the arrays of the mujoco package's, and look-ups by name."""

    def __init__(self, data: Any) -> None:
        self._data = data

    def __getattr__(self, name: str) -> Any:
        return getattr(self._data, name)

    def get_body_xpos(self, name: str) -> Any:
        return self._data.body(name).xpos


class Model:
    """Replaces mujoco-py's MjModel: the arrays of the mujoco package's, and look-ups by name."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def __getattr__(self, name: str) -> Any:
        return getattr(self._model, name)

    def site_name2id(self, name: str) -> int:
        return int(self._model.site(name).id)


class Sim:
    """Replaces mujoco-py's MjSim."""

    def __init__(self, model: Any) -> None:
        self._model, self._data = model, mujoco.MjData(model)
        self.model, self.data = Model(model), Data(self._data)

    def reset(self) -> None:
        mujoco.mj_resetData(self._model, self._data)

    def forward(self) -> None:
        mujoco.mj_forward(self._model, self._data)

    def step(self) -> None:
        mujoco.mj_step(self._model, self._data)


class Physics(Sim):
    """Replaces dm_control.mujoco.Physics, which updates all that depends on positions after each step."""

    @classmethod
    def from_xml_path(cls, path: str) -> Physics:
        made = cls(mujoco.MjModel.from_xml_path(path))
        made.forward()
        return made

    def reset(self) -> None:
        super().reset()
        self.forward()

    def step(self) -> None:
        mujoco.mj_step2(self._model, self._data)
        mujoco.mj_step1(self._model, self._data)


class Env:
    """Replaces gym.Env."""

    def __init__(self, **_: Any) -> None:
        pass

    @property
    def unwrapped(self) -> Any:
        return self


class MujocoEnv(Env):
    """Replaces gym.envs.mujoco.mujoco_env.MujocoEnv."""

    def __init__(self, model_path: str, frame_skip: int) -> None:
        self.frame_skip = frame_skip
        self.sim = Sim(mujoco.MjModel.from_xml_path(model_path))
        self.model, self.data = self.sim.model, self.sim.data
        self.init_qpos, self.init_qvel = self.data.qpos.copy(), self.data.qvel.copy()
        self.action_space = Box(*self.model.actuator_ctrlrange.astype(np.float32).T)
        observation, _, done, _ = self.step(np.zeros(self.model.nu, np.float32))
        assert not done
        self.observation_space = Box(np.full(observation.shape, -np.inf), np.full(observation.shape, np.inf))
        self.seed()

    def seed(self, seed: int | None = None) -> None:
        self.np_random = np.random.RandomState(seed)

    def reset(self) -> Any:
        self.sim.reset()
        return self.reset_model()

    def set_state(self, qpos: Any, qvel: Any) -> None:
        self.data.qpos[:], self.data.qvel[:] = qpos, qvel
        self.sim.forward()

    def do_simulation(self, ctrl: Any, n_frames: int) -> None:
        self.data.ctrl[:] = ctrl
        for _ in range(n_frames):
            self.sim.step()

    @property
    def dt(self) -> float:
        return float(self.model.opt.timestep * self.frame_skip)

    def get_body_com(self, name: str) -> Any:
        return self.data.get_body_xpos(name)

    def state_vector(self) -> Any:
        return np.concatenate([self.data.qpos, self.data.qvel])


class Box:
    """Replaces gym.spaces.Box."""

    def __init__(self, low: Any, high: Any, shape: Any = None, dtype: Any = np.float32) -> None:
        shape = np.shape(low) if shape is None else shape
        self.low, self.high = np.full(shape, low, dtype), np.full(shape, high, dtype)
        self.shape, self.dtype = self.low.shape, np.dtype(np.float64)


def register(id: str, **settings: Any) -> None:
    REGISTERED[id] = settings


def module(name: str, **attributes: Any) -> Any:
    made = types.ModuleType(name)
    vars(made).update(attributes)
    sys.modules[name] = made
    parent, _, child = name.rpartition(".")
    if parent:
        setattr(sys.modules[parent], child, made)
    return made


def stand_in() -> None:
    collections.Mapping = collections.abc.Mapping  # type: ignore[attr-defined]  # gone since Python 3.10
    module("gym", Env=Env, Wrapper=type("Wrapper", (Env,), {}))
    module("gym.error")
    module("gym.spaces", Box=Box, Discrete=object, Dict=object)
    module("gym.utils", colorize=lambda text, *_, **__: text, EzPickle=type("EzPickle", (), {}))
    module("gym.utils.seeding", np_random=lambda seed: (np.random.RandomState(seed), seed))
    module("gym.envs")
    module("gym.envs.registration", register=register, registry=None)
    module("gym.envs.mujoco")
    module("gym.envs.mujoco.mujoco_env", MujocoEnv=MujocoEnv)
    module("mujoco_py", get_version=lambda: "2.1.2.14")
    module("click")
    module("termcolor", cprint=lambda *_: None)
    module("dm_control")
    module("dm_control.mujoco", Physics=Physics)
    module("dm_control.mujoco.engine")


def prepare_kitchen() -> None:
    """Disable d4rl's rendering, and adapt it to NumPy 2.4 (numbers) and MuJoCo 3 (kettle)."""
    from d4rl.kitchen.adept_envs.franka import kitchen_multitask_v0  # type: ignore[import-not-found]
    from d4rl.kitchen.adept_envs.franka.robot import franka_robot  # type: ignore[import-not-found]
    from d4rl.kitchen.adept_envs.simulation import sim_robot  # type: ignore[import-not-found]

    read = franka_robot.read_config_from_node
    franka_robot.read_config_from_node = lambda *place: np.squeeze(read(*place))

    sim_robot.DMRenderer = lambda *_, **__: None
    sim_robot.MujocoSimRobot._patch_mjlib_accessors = lambda *_: None
    environment = kitchen_multitask_v0.KitchenV0
    model = Path(environment.MODEl).resolve()
    copied = Path(tempfile.mkdtemp(prefix="d4rl-kitchen-"))
    atexit.register(shutil.rmtree, copied)
    kitchen = model.parents[3]
    shutil.copytree(kitchen, copied, dirs_exist_ok=True)
    kettle = copied / "adept_models" / "kitchen" / "assets" / "kettle_asset.xml"
    text = kettle.read_text()
    text = text.replace('<default class="kettle">', '<default><default class="kettle">')
    kettle.write_text(text.replace("</mujocoinclude>", "</default></mujocoinclude>"))
    environment.MODEl = str(copied / model.relative_to(kitchen))


def make(name: str) -> Any:
    settings = REGISTERED[name]
    place, _, entry = settings["entry_point"].partition(":")
    return getattr(importlib.import_module(place), entry)(**settings["kwargs"])


def goal_of(environment: Any) -> Any:
    places = ("_target", "target_goal", "goal")
    return next(getattr(environment, place) for place in places if hasattr(environment, place))


def start(environment: Any, qpos: Any, qvel: Any, goal: Any) -> None:
    if hasattr(environment, "robot"):
        environment.reset()
        environment.robot.robot_pos_noise_amp[:] = 0  # noise is compared in what `resets` gives
        environment.data.qpos[:], environment.data.qvel[:] = qpos, qvel
        environment.sim.forward()
        environment._get_obs()  # the arm moves on from what was observed last
    else:
        environment.sim.reset()
        environment.set_state(qpos, qvel)
        environment.set_target(tuple(goal))


def write_model(name: str, output: str) -> None:
    model = make(name).model._model
    arrays = {key: getattr(model, key) for key in dir(model) if not key.startswith("_")}
    options = {f"opt_{key}": getattr(model.opt, key) for key in dir(model.opt) if not key.startswith("_")}
    numeric = (np.ndarray, int, float)
    np.savez(
        output, **{key: value for key, value in (arrays | options).items() if isinstance(value, numeric)}
    )


def write_resets(name: str, count: str, output: str) -> None:
    environment = make(name)
    np.random.seed(1)
    environment.seed(1)
    found: dict[str, list[Any]] = {"qpos": [], "qvel": [], "observation": [], "goal": []}
    for _ in range(int(count)):
        found["observation"].append(environment.reset())
        found["qpos"].append(environment.data.qpos.copy())
        found["qvel"].append(environment.data.qvel.copy())
        found["goal"].append(np.array(goal_of(environment), np.float64))
    np.savez(output, **{key: np.array(value) for key, value in found.items()})


def write_steps(name: str, given: str, output: str) -> None:
    environment = make(name)
    found: dict[str, list[Any]] = {"observation": [], "reward": [], "done": []}
    with np.load(given) as file:
        for field in set(file.files) - {"qpos", "qvel", "goal", "actions"}:
            getattr(environment.model, field)[:] = file[field]
        episodes = zip(file["qpos"], file["qvel"], file["goal"], file["actions"], strict=True)
        for qpos, qvel, goal, actions in episodes:
            start(environment, qpos, qvel, goal)
            for action in actions:
                observation, reward, done, _ = environment.step(action)
                found["observation"].append(observation)
                found["reward"].append(float(reward))
                found["done"].append(bool(done))
    np.savez(output, **{key: np.array(value) for key, value in found.items()})


def write_simulated(path: str, given: str, output: str, steps: str) -> None:
    model = mujoco.MjModel.from_xml_path(path)
    data, states = mujoco.MjData(model), []
    with np.load(given) as file:
        for qpos, qvel, ctrl in zip(file["qpos"], file["qvel"], file["ctrl"], strict=True):
            mujoco.mj_resetData(model, data)
            data.qpos[:], data.qvel[:], data.ctrl[:] = qpos, qvel, ctrl
            mujoco.mj_step(model, data, nstep=int(steps))
            states.append(np.concatenate([data.qpos, data.qvel]))
    np.savez(output, states=states)


def print_waypoints(name: str, count: str) -> None:
    sys.path.insert(0, str(Path(__file__).parents[2]))
    import gymnasium
    from d4rl.pointmaze.waypoint_controller import WaypointController  # type: ignore[import-not-found]

    ours = gymnasium.make(f"harness.environments:D4RL/{name}", disable_env_checker=True)
    np.random.seed(0)
    maze = REGISTERED[name]["kwargs"]["maze_spec"]
    returns = []
    for episode in range(int(count)):
        observation, _ = ours.reset(seed=episode)
        # Another for each episode: it keeps its way for as long as the goal stays the same.
        controller = WaypointController(maze)
        total, truncated = 0.0, False
        while not truncated:
            action, _ = controller.get_action(observation[:2], observation[2:], ours.unwrapped.goal)
            observation, reward, _, truncated, _ = ours.step(action)
            total += reward
        returns.append(total)
    print(json.dumps(returns))


def main(verb: str, *arguments: str) -> None:
    os.environ["D4RL_SUPPRESS_IMPORT_ERROR"] = "1"
    stand_in()
    importlib.import_module("d4rl.pointmaze")
    importlib.import_module("d4rl.locomotion")
    importlib.import_module("d4rl.kitchen")
    prepare_kitchen()
    printed, sys.stdout = sys.stdout, sys.stderr  # d4rl prints each goal
    if verb == "specs":
        print(json.dumps(REGISTERED), file=printed)
    elif verb == "waypoints":
        sys.stdout = printed
        print_waypoints(*arguments)
    else:
        verbs = {
            "model": write_model,
            "resets": write_resets,
            "steps": write_steps,
            "simulate": write_simulated,
        }
        verbs[verb](*arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
