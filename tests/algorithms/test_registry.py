import sys
from importlib.metadata import EntryPoint

import pytest

from harness.algorithms import hyperparameters_class, learner_class, registry, resolve
from harness.algorithms.registry import BUILT_IN
from harness.errors import HarnessError, HarnessWarning
from harness.trial import read_hyperparameters

LAB = """
from harness.algorithms import AutogradLearner, Hyperparameters
from harness.algorithms.modules import MLP


class Settings(Hyperparameters):
    strength: float = 2.0


class Mine(AutogradLearner[Settings]):
    fields = ("state", "action")

    def networks(self, observation_size, action_size):
        return {"actor": MLP(observation_size, 8, action_size)}

    def update(self, batch):
        loss = (self.actor(batch.state) - batch.action).square().mean((1, 2))
        self.minimize("actor", loss)
        return {"loss": loss}


class Unnamed(AutogradLearner):
    pass


class WithoutUpdate(AutogradLearner[Settings]):
    def networks(self, observation_size, action_size):
        return {}


class OtherFields(Mine):
    fields = ("state", "actions")


class NoLearner:
    pass


class NoSettings(Mine):
    hyperparameters_class = dict


class OtherSettings(Settings):
    strength: float = "strong"


class Extended(Mine):
    hyperparameters_class = OtherSettings
"""


@pytest.fixture
def lab(tmp_path, monkeypatch):
    """A module `lab` of a user, importable from its folder."""
    (tmp_path / "lab.py").write_text(LAB)
    (tmp_path / "test.py").write_text(LAB)
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    yield tmp_path / "lab.py"
    sys.modules.pop("lab", None)
    registry._from_outside.cache_clear()


@pytest.mark.parametrize("name", BUILT_IN)
def test_built_in_algorithm_has_hyperparameters_and_learners_that_fit_together(name):
    settings = hyperparameters_class(name)
    for implementation in ("autograd", "auto"):
        learner = learner_class(settings(implementation=implementation))
        assert learner.hyperparameters_class is settings
    assert settings().algorithm == name
    assert resolve(name).source is None


@pytest.mark.parametrize("name", BUILT_IN)
def test_every_hyperparameter_is_documented(name):
    fields = hyperparameters_class(name).model_fields
    undocumented = [field for field, info in fields.items() if field != "algorithm" and not info.description]
    assert undocumented == []


def test_algorithm_of_a_users_module_is_found(lab):
    algorithm = resolve("lab:Mine")
    assert (algorithm.name, algorithm.title, algorithm.built_in) == ("lab:Mine", "Mine", False)
    settings = hyperparameters_class("lab:Mine")(algorithm="lab:Mine")
    assert settings.strength == 2.0
    assert learner_class(settings).__name__ == "Mine"


@pytest.mark.usefixtures("lab")
def test_subclass_can_have_other_hyperparameters_and_their_wrong_default_is_named():
    assert hyperparameters_class("lab:Extended").__name__ == "OtherSettings"
    message = "the default of algorithms.own.strength: must be a number, not 'strong'"
    with pytest.raises(ValueError, match=message):
        read_hyperparameters({"algorithm": "lab:Extended"}, "algorithms.own")
    assert read_hyperparameters({"algorithm": "lab:Extended", "strength": 1}, "").strength == 1.0


def test_algorithm_of_an_installed_package_is_found_by_its_entry_point(lab, monkeypatch):
    point = EntryPoint("mine", "lab:Mine", registry.ENTRY_POINT_GROUP)
    monkeypatch.setattr(registry, "installed", lambda: {point.name: point.value})
    assert resolve("mine").name == "lab:Mine"
    assert resolve("mine").title == "mine"
    assert "mine" in registry.names()


@pytest.mark.usefixtures("lab")
def test_installed_algorithm_that_cannot_be_imported_is_left_out_with_a_warning(monkeypatch):
    monkeypatch.setattr(registry, "installed", lambda: {"broken": "lab:No", "mine": "lab:Mine"})
    with pytest.warns(HarnessWarning, match="installed algorithm broken is left out: .*lab has no No"):
        assert registry.usable() == [*BUILT_IN, "mine"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("iqll", "unknown algorithm 'iqll'.*as module:Class"),
        (
            "no_such_lab:Mine",
            r"no_such_lab:Mine: cannot import no_such_lab \(ModuleNotFoundError: ",
        ),
        ("lab:Mne", "algorithm lab:Mne: lab has no Mne; did you mean Mine"),
        ("test:Mine", "algorithm test:Mine: test has no Mine; this is the module test of .*test.py: rename"),
        (
            "lab:NoLearner",
            "NoLearner is not a learner; derive it from harness.algorithms.AutogradLearner",
        ),
        ("lab:WithoutUpdate", "algorithm lab:WithoutUpdate: WithoutUpdate does not define update"),
        ("lab:OtherFields", "fields has 'actions', .* not a field of a batch; did you mean action"),
        (
            "lab:Unnamed",
            r"name its hyper-parameters, .*: class Unnamed\(AutogradLearner\[MyHyperparameters\]\)",
        ),
        ("lab:NoSettings", "name its hyper-parameters, a class derived from harness.algorithms.Hyperparam"),
    ],
)
@pytest.mark.usefixtures("lab")
def test_name_that_is_not_an_algorithm_raises_one_line(name, message):
    with pytest.raises(HarnessError, match=message):
        resolve(name)


def test_implementation_that_does_not_exist_is_rejected(lab):
    settings = hyperparameters_class("lab:Mine")
    with pytest.raises(HarnessError, match="lab:Mine has no fused implementation; use auto or autograd"):
        learner_class(settings(algorithm="lab:Mine", implementation="fused"))
    with pytest.raises(HarnessError, match="precision bf16 requires a fused implementation"):
        learner_class(settings(algorithm="lab:Mine", precision="bf16"))


def test_source_is_that_of_the_imported_file_and_of_what_it_imports(lab):
    first = resolve("lab:Mine").source
    assert first is not None
    lab.write_text("import helper\n" + LAB)
    lab.with_name("helper.py").write_text("SIZE = 1\n")
    assert resolve("lab:Mine").source == first  # this process has imported the file as it was
    registry._from_outside.cache_clear()
    second = resolve("lab:Mine").source
    lab.with_name("helper.py").write_text("SIZE = 2\n")
    registry._from_outside.cache_clear()
    assert len({first, second, resolve("lab:Mine").source}) == 3


def test_algorithm_of_recorded_results_is_not_imported():
    with registry.without_importing():
        settings = hyperparameters_class("no_such_lab:Mine")(algorithm="no_such_lab:Mine", strength=3)
        assert resolve("no_such_lab:Mine").title == "Mine"
    assert settings.model_dump()["strength"] == 3
    with pytest.raises(HarnessError, match="cannot import no_such_lab"):
        resolve("no_such_lab:Mine")


@pytest.mark.parametrize("name", BUILT_IN)
def test_registry_says_which_learners_ask_for_next_actions(name):
    learner = learner_class(hyperparameters_class(name)())
    assert BUILT_IN[name].next_actions == ("next_action" in learner.fields)
