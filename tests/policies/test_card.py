import numpy as np
import pytest
import torch

from harness.algorithms import export
from harness.policies.card import model_card
from harness.policies.files import dumps, loads
from tests.policies.test_files import INFO, observations, policy

SAVED = loads(dumps(policy(), INFO, 3, 2), "x.npz")


def code(card):
    return card.partition("```python\n")[2].partition("```")[0]


def test_card_states_scores_and_protocol():
    card = model_card(SAVED, "p.npz", "npz")
    assert card.startswith("# td3_bc on pendulum-expert-v0, seed 3\n")
    assert "| Return | -1.75 ± 0.25 |\n| Normalized score | 114.1 |\n| Episodes | 2 |" in card
    assert "Evaluated on Pendulum-v1 at step 100, with evaluation seed 100." in card
    assert "100 (return - -1200) / (-150 - -1200)" in card


def test_card_of_the_best_policy_states_how_it_was_chosen():
    best = loads(dumps(policy(), INFO.model_copy(update={"chosen": "best"}), 3, 2), "x.npz")
    assert "a choice that used the environment" in model_card(best, "p.npz", "npz")


def test_card_without_evaluation_or_reference_has_no_score():
    bare = INFO.model_copy(update={"episode_returns": (), "reference": None})
    card = model_card(loads(dumps(policy(), bare, 3, 2), "x.npz"), "p.npz", "npz")
    assert "No evaluation of this policy is recorded." in card
    assert "score" not in card.replace("## Scores", "")


@pytest.mark.parametrize("file_format", ["npz", "torchscript", "onnx"])
def test_code_of_the_card_loads_the_policy(file_format, tmp_path, monkeypatch):
    if file_format == "onnx":
        pytest.importorskip("onnxruntime")
    content = {
        "npz": lambda: dumps(SAVED.policy, SAVED.info, 3, 2),
        "torchscript": lambda: export.to_torchscript(SAVED),
        "onnx": lambda: export.to_onnx(SAVED),
    }[file_format]()
    (tmp_path / "p").write_bytes(content)
    monkeypatch.chdir(tmp_path)
    names = {"observations": observations()}
    exec(code(model_card(SAVED, "p", file_format)), names)
    actions = names["actions"]
    actions = actions.numpy() if isinstance(actions, torch.Tensor) else actions
    np.testing.assert_allclose(actions, SAVED(observations()), atol=1e-6)
