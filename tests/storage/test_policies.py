import numpy as np
import pytest

from harness import load_policy
from harness.errors import HarnessError, HarnessWarning
from harness.policies import NumpyPolicy
from harness.policies.files import dumps
from harness.policies.layers import Affine
from harness.storage.policies import select_policies, stored_policies
from harness.storage.stores import open_store
from tests.policies.test_files import INFO
from tests.storage.make import finish, prepared


def policy_bytes(trial):
    """Return the file of a policy whose action is always the trial's seed."""
    weight, bias = np.zeros((3, 1), np.float32), np.full(1, trial.seed, np.float32)
    policy = NumpyPolicy([Affine(weight, bias)], np.zeros(3, np.float32), np.ones(3, np.float32))
    info = INFO.model_copy(update={"variant": trial.algorithm, "seed": trial.seed})
    return dumps(policy, info, 3, 1)


@pytest.fixture
def directory(tmp_path):
    """Return the directory of a run with four trials and their policies."""
    run = prepared(open_store(tmp_path / "run"))
    for trial in run.requested_trials():
        record = run.record(trial)
        record.claim(1, 0)
        record.commit_policy("policy.npz", policy_bytes(trial))
    finish(run, run.requested_trials()[0])
    return tmp_path / "run"


def test_load_policy_by_variant_and_seed_returns_that_policy(directory):
    policy = load_policy(directory, variant="bc", seed=1)
    assert (policy.info.variant, policy.info.seed) == ("bc", 1)
    assert policy(np.zeros(3)).tolist() == [1.0]
    assert len(stored_policies(directory)) == 4


def test_load_policy_from_a_file_returns_it(directory):
    path = next((directory / "trials").glob("td3_bc--*--1")) / "policy.npz"
    assert load_policy(path).info.seed == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "several policies match; choose a variant: td3_bc, bc"),
        ({"variant": "td3_bc"}, "several policies match; choose a seed: 0, 1"),
        ({"variant": "td3bc", "seed": 0}, "no policy with variant td3bc; did you mean td3_bc"),
        ({"variant": "bc", "seed": 7}, "no policy with seed 7; there are 0, 1"),
        ({"variant": "bc", "seed": 0, "file": "policy-best.npz"}, "no policy with file policy-best.npz"),
    ],
)
def test_load_policy_with_wrong_names_raises_one_line(directory, arguments, message):
    with pytest.raises(HarnessError, match=message):
        load_policy(directory, **arguments)


def test_load_policy_without_policies_raises_one_line(directory, tmp_path):
    for path in (directory / "trials").glob("*/policy.npz"):
        path.unlink()
    with pytest.raises(HarnessError, match=r"no policies found; .* harness policy rebuild"):
        load_policy(directory)
    with pytest.raises(HarnessError, match="no such policy file or results directory"):
        load_policy(tmp_path / "nothing")


def test_load_policy_of_a_damaged_file_names_its_path(directory):
    path = next((directory / "trials").glob("bc--*--0")) / "policy.npz"
    path.write_bytes(path.read_bytes()[:-50])
    with pytest.raises(HarnessError, match=r"trials/bc--.*--0/policy.npz: not a policy file, or damaged"):
        load_policy(directory, variant="bc", seed=0)


def selected(*arguments):
    return [(policy.info.variant, policy.info.seed) for policy in select_policies(*arguments)]


def test_select_policies_takes_the_conditions_of_a_run(directory):
    assert selected(directory) == [("td3_bc", 0), ("bc", 0), ("td3_bc", 1), ("bc", 1)]
    assert selected(directory, ["algorithm=bc", "seed=1"]) == [("bc", 1)]
    with pytest.raises(HarnessError, match="--only algorithm=bcc: no algorithm bcc; did you mean bc"):
        select_policies(directory, ["algorithm=bcc"])


def test_select_policies_prefers_the_final_policy_to_the_best(directory):
    first, second, *_ = sorted((directory / "trials").glob("*/policy.npz"))
    first.rename(first.with_name("policy-best.npz"))
    assert len(selected(directory)) == 4
    with pytest.warns(HarnessWarning, match=r"3 of 4 trials have no such policy"):
        assert len(selected(directory, [], "best")) == 1
    second.with_name("policy-0000000500.npz").write_bytes(second.read_bytes())
    assert len(selected(directory)) == 4
    with pytest.raises(HarnessError, match=r"no `step` policies; it has policy.npz"):
        select_policies(directory, ["algorithm=td3_bc"], "step")


def test_select_policies_with_conditions_on_a_file_raises(directory):
    path = next((directory / "trials").glob("bc--*--1")) / "policy.npz"
    assert selected(path) == [("bc", 1)]
    with pytest.raises(HarnessError, match="--only requires a results directory, but this is a policy file"):
        select_policies(path, ["seed=1"])


def test_select_policies_with_the_policy_of_another_trial_raises(directory):
    first, second = sorted((directory / "trials").glob("bc--*/policy.npz"))
    first.write_bytes(second.read_bytes())
    with pytest.raises(
        HarnessError, match=r"expected the policy of this trial, got that of bc on .*, seed 1"
    ):
        select_policies(directory)
