import gymnasium
import numpy as np
import pytest

from harness.environments.spec import EnvironmentSpec
from harness.errors import HarnessError
from harness.films.film import Player, film
from harness.policies.files import SavedPolicy
from tests.policies.test_files import INFO

HOLD = 4


class Drawn(gymnasium.Env):
    """Renders its state as brightness; the start state is the length of the episode."""

    metadata = {"render_modes": ["rgb_array"], "render_fps": 6}  # noqa: RUF012
    observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (3,))
    action_space = gymnasium.spaces.Box(-1.0, 1.0, (1,))

    def __init__(self, render_mode=None, fps=None, broken=False, width=20):
        self.render_mode, self.broken, self.width = render_mode, broken, width
        self.metadata = {**self.metadata, **({"render_fps": fps} if fps else {})}

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.steps, self.start = 0, self.np_random.integers(10, 100)
        return np.array([self.start, 0, 0], np.float32), {}

    def step(self, action):
        self.steps += 1
        ends = self.steps >= 3 + 2 * float(action[0])
        return np.zeros(3, np.float32), float(action[0]), bool(ends), False, {}

    def render(self):
        if self.broken:
            raise RuntimeError("no\nscreen")
        return np.full((20, self.width, 3), self.start + self.steps, np.uint8)


gymnasium.register("Drawn-v0", entry_point=Drawn, max_episode_steps=50)
gymnasium.register(
    "Undrawn-v0", entry_point="gymnasium.envs.classic_control:PendulumEnv", max_episode_steps=9
)


def player(action=0.0, label="bc", **kwargs):
    policy = SavedPolicy(lambda states: np.full((len(states), 1), action, np.float32), INFO, 3, 1, "x.npz")
    return Player(policy, EnvironmentSpec("Drawn-v0", kwargs), label)


def brightness(frame, column=0, columns=1):
    width = frame.shape[1] // columns
    return int(frame[-10, column * width + width // 2, 0])


def test_film_of_environments_with_different_pictures_has_frames_of_one_size():
    frames = list(film([player(), player(width=40)], [1], height=20).frames)
    wide = list(film([player(width=40)], [1], height=20).frames)
    assert {frame.shape for frame in frames} == {wide[0].shape}
    assert (frames[0][:, 20:] == 255).all()
    np.testing.assert_array_equal(frames[-len(wide) :], wide)


def test_film_shows_every_step_of_each_episode_and_holds_the_last():
    made = film([player()], [1, 2], height=20)
    frames = list(made.frames)
    assert made.frames_per_second == 6
    assert len(frames) == 2 * (1 + 3 + HOLD)
    first = [brightness(frame) for frame in frames[: 4 + HOLD]]
    assert first == [first[0] + step for step in (0, 1, 2, 3)] + [first[0] + 3] * HOLD


def test_film_side_by_side_starts_in_the_same_state_and_waits_for_the_last():
    frames = list(film([player(0.0), player(1.0)], [5], side_by_side=True, height=20).frames)
    left, right = ([brightness(frame, column, 2) for frame in frames] for column in (0, 1))
    assert left[0] == right[0]
    assert len(frames) == 1 + 5 + HOLD
    assert left[3] == left[-1] == left[0] + 3
    assert right[-1] == right[0] + 5


def test_film_captions_have_the_return_so_far():
    frames = list(film([player(1.0)], [5], height=120).frames)
    caption = [frame[:30].tobytes() for frame in frames]
    assert len(set(caption)) == 6


def test_film_of_a_fast_environment_skips_frames_but_not_steps():
    made = film([player(fps=60)], [1], height=20)
    frames = list(made.frames)
    assert made.frames_per_second == 30
    shown = [brightness(frame) - brightness(frames[0]) for frame in frames]
    assert shown[:3] == [0, 2, 3]


def test_film_with_a_limit_cuts_long_episodes():
    frames = list(film([player()], [1], height=20, seconds=0.4).frames)
    assert len(frames) == 2 + HOLD


def test_film_of_an_environment_that_cannot_render_raises_one_line():
    with pytest.raises(HarnessError, match=r"^environment Drawn-v0 .*\(RuntimeError: no screen\)$"):
        film([player(broken=True)], [1])


def test_film_of_an_environment_without_rgb_array_raises_one_line(monkeypatch):
    monkeypatch.setattr(Drawn, "metadata", {"render_modes": []})
    with pytest.raises(HarnessError, match="Drawn-v0: cannot be filmed"):
        film([player()], [1])


def test_film_with_a_policy_of_another_size_raises():
    wrong = SavedPolicy(lambda states: states, INFO, 4, 1, "x.npz")
    with pytest.raises(HarnessError, match=r"observations have size 4, .* have shape \(3,\)"):
        film([Player(wrong, EnvironmentSpec("Drawn-v0"), "bc")], [1])
