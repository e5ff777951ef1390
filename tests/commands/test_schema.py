from pathlib import Path

import jsonschema
import pytest

from harness import safe_yaml
from harness.commands.schema import experiment_schema

EXPERIMENTS = sorted((Path(__file__).parents[2] / "experiments").glob("*.yaml"))


@pytest.fixture(scope="module")
def validator():
    schema = experiment_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


@pytest.mark.parametrize("path", EXPERIMENTS, ids=lambda path: path.stem)
def test_schema_accepts_experiments_in_the_repository(path, validator):
    validator.validate(safe_yaml.read(path.read_text(), path.name))


def experiment(**changes):
    return {"name": "x", "datasets": ["a"], "algorithms": ["bc"], "seeds": 2} | changes


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": {"td3_bc": {"alpha": 1}, "mine": {"algorithm": "lab:Mine", "strength": 3}}},
        {"algorithms": {"gentle": {"algorithm": "td3_bc", "alpha": 1}, "bc": None}},
        {"seeds": [0, 4], "datasets": [{"name": "a", "path": "a.hdf5"}]},
    ],
)
def test_schema_accepts_what_the_harness_accepts(changes, validator):
    validator.validate(experiment(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"algorithms": {"td3_bc": {"alpa": 1}}},
        {"algorithms": {"gentle": {"algorithm": "td3_bc", "alpa": 1}}},
        {"algorithms": {"td3_bc": {"alpha": "much"}}},
        {"training": {"steps": 3}},
        {"seeds": "three"},
    ],
)
def test_schema_rejects_what_the_harness_rejects(changes, validator):
    assert not validator.is_valid(experiment(**changes))
