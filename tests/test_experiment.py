import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from harness import experiment_file
from harness.errors import HarnessError
from harness.experiment import Experiment
from harness.trial import Trial, slug

MINIMAL = """
name: tiny
datasets: [pendulum-random-v0, pendulum-expert-v0]
algorithms: [td3_bc, bc]
seeds: 2
"""


def parse(text: str = MINIMAL, **changes) -> Experiment:
    return experiment_file.parse(text, "tiny.yaml")


def test_trials_contains_every_combination_once():
    trials = parse().trials()
    coordinates = {(trial.algorithm, trial.dataset.name, trial.seed) for trial in trials}
    assert len(trials) == len(coordinates) == 2 * 2 * 2
    assert len({trial.key for trial in trials}) == len({trial.digest for trial in trials}) == 8


def test_defaults_equal_the_papers():
    td3_bc = parse().algorithms["td3_bc"].model_dump()
    assert td3_bc["alpha"] == 2.5
    assert td3_bc["discount"] == 0.99
    assert td3_bc["tau"] == 0.005
    assert td3_bc["batch_size"] == 256
    assert td3_bc["actor_learning_rate"] == td3_bc["critic_learning_rate"] == 3e-4
    assert (td3_bc["target_noise"], td3_bc["target_noise_clip"], td3_bc["policy_freq"]) == (0.2, 0.5, 2)
    assert parse().training.gradient_steps == 1_000_000
    assert (parse().evaluation.interval, parse().evaluation.episodes) == (5_000, 10)


def test_resolved_file_loads_as_the_same_experiment():
    experiment = parse(MINIMAL + "sweep: {algorithms.td3_bc.alpha: [1, 2.5]}\n")
    assert experiment_file.parse(experiment_file.dump(experiment), "resolved") == experiment


def test_serialised_trial_keeps_its_digest():
    trial = parse().trials()[0]
    assert Trial.model_validate(trial.model_dump(mode="json")) == trial
    assert Trial.model_validate_json(trial.model_dump_json()).digest == trial.digest


def test_published_as_does_not_change_the_digest_of_a_trial():
    plain = {"name": "mine", "path": "door.hdf5"}
    trials = [
        Trial(algorithm="bc", dataset=dataset, seed=0, hyperparameters={"algorithm": "bc"})
        for dataset in (plain, plain | {"published_as": "door-human-v1"}, plain | {"name": "other"})
    ]
    assert trials[0].digest == trials[1].digest != trials[2].digest


def test_labels_do_not_change_the_digest_of_a_trial():
    digests = {
        Trial(
            algorithm="bc",
            dataset={"name": "mine", "label": label},
            seed=0,
            hyperparameters={"algorithm": "bc", "label": label},
        ).digest
        for label in (None, "A title")
    }
    assert len(digests) == 1


def test_published_as_of_an_unregistered_dataset_raises_with_similar_names():
    entry = "{name: mine, path: door.hdf5, published_as: door-humn-v1}"
    with pytest.raises(
        HarnessError, match=r"mine: published_as: 'door-humn-v1' .* did you mean door-human-v1"
    ):
        parse(MINIMAL.replace("pendulum-random-v0", entry))


def test_digest_changes_with_every_setting_that_affects_results():
    trial = parse().trials()[0]
    for changed in (
        {"seed": 7},
        {"training": {"gradient_steps": 3}},
        {"evaluation": {"episodes": 3}},
        {"data": {"rewards": {"shift": -1}}},
        {"hyperparameters": trial.hyperparameters.model_dump() | {"alpha": 1.0}},
    ):
        assert Trial.model_validate(trial.model_dump() | changed).digest != trial.digest


def test_variant_of_an_algorithm_is_a_separate_column():
    text = MINIMAL.replace("[td3_bc, bc]", "{td3_bc: , plain: {algorithm: td3_bc, normalize_lambda: false}}")
    columns = parse(text).variants()
    assert list(columns) == ["td3_bc", "plain"]
    assert columns["plain"].model_dump()["normalize_lambda"] is False


def test_sweep_replaces_the_algorithm_by_its_variants():
    columns = parse(
        MINIMAL + "sweep: {algorithms.td3_bc.alpha: [1, 2.5], algorithms.td3_bc.tau: [0.1]}"
    ).variants()
    assert list(columns) == ["td3_bc@alpha=1,tau=0.1", "td3_bc@alpha=2.5,tau=0.1", "bc"]
    assert columns["td3_bc@alpha=1,tau=0.1"].model_dump()["alpha"] == 1.0


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("seeds: 2", "seeds: 0", "seeds"),
        ("seeds: 2", "seeds: []", "seeds"),
        ("seeds: 2", "seeds: [1, 1]", "seed 1 is listed twice"),
        ("seeds: 2", "seeds: true", "seeds"),
        ("seeds: 2", "seed: 2", "seeds"),
        ("name: tiny", "name: a/b", "name"),
        ("name: tiny", "", "name is missing"),
        ("[td3_bc, bc]", "[td3bc]", "did you mean td3_bc"),
        ("[td3_bc, bc]", "{td3_bc: {alpah: 1}}", "did you mean alpha"),
        ("[td3_bc, bc]", "{td3_bc: {alpha: high}}", "algorithms.td3_bc.alpha"),
        ("[td3_bc, bc]", "{td3_bc: 3}", "mapping"),
        ("[td3_bc, bc]", "{td3_bc: {alpha: .nan}}", "alpha"),
        ("[td3_bc, bc]", "{a/b: {algorithm: bc}}", "a/b"),
        ("[td3_bc, bc]", "[]", "algorithms"),
        ("seeds: 2", "seeds: 2\ntraining: {gradient_steps: 0}", "training.gradient_steps"),
        ("seeds: 2", "seeds: 2\ntraining: {gradient_steps: 1.5}", "training.gradient_steps"),
        (
            "seeds: 2",
            "seeds: 2\ntraining: {save_policy: every}",
            "save_policy: must be 'final', 'best' or 'none' or 'every N', not 'every'",
        ),
        ("seeds: 2", "seeds: 2\ntraining: {gradientsteps: 1}", "did you mean gradient_steps"),
        ("seeds: 2", "seeds: 2\ntrainings: {}", "did you mean training"),
        ("seeds: 2", "seeds: 2\nsweep: {alpha: [1]}", "must be algorithms.NAME"),
        ("seeds: 2", "seeds: 2\nsweep: {algorithms.bc.alpha: [1]}", "alpha"),
        ("seeds: 2", "seeds: 2\ndatasets: 3", "datasets"),
        ("pendulum-expert-v0]", "pendulum-random-v0]", "listed twice"),
        ("seeds: 2", "seeds: [18446744073709551616]", "seeds.0"),
        ("seeds: 2", "seeds: 1000000000000", "is out of range; give 1 to 100,000 seeds, or a list"),
        ("seeds: 2", "seeds: -1", "-1 is out of range; give 1 to"),
        ("seeds: 2", "seeds: 2\nevaluation: {seed: 18446744073709551616}", "evaluation.seed"),
        ("seeds: 2", "seeds: 2\nevaluation: {episodes: 1000000000}", "evaluation.episodes"),
        ("seeds: 2", "seeds: 2\ntraining: {gradient_steps: 10000000000000}", "training.gradient_steps"),
        ("[td3_bc, bc]", "{bc: {batch_size: 10000000000}}", "algorithms.bc.batch_size"),
        ("[td3_bc, bc]", "{bc: {hidden_sizes: [256, 1000000]}}", "algorithms.bc.hidden_sizes.1"),
        ("seeds: 2", "seeds: five", "seeds: must be a number of seeds or a list of them, not 'five'"),
        ("seeds: 2", "seeds: null", "seeds: must be a number of seeds or a list of them, not None"),
        ("seeds: 2", "seeds: [0, five]", "seeds.1: must be a whole number, not 'five'"),
        ("seeds: 2", "seeds: [-1]", "seeds.0: must be greater than or equal to 0, not -1"),
        (
            "[pendulum-random-v0, pendulum-expert-v0]",
            "pendulum-expert-v0",
            "datasets: must be a list, not 'pen",
        ),
        (
            "[pendulum-random-v0, pendulum-expert-v0]",
            "[3]",
            "datasets.0: must be a name or a mapping with one, not 3",
        ),
        ("[td3_bc, bc]", "td3_bc", "algorithms: must be a list of names or a mapping, not 'td3_bc'"),
        ("name: tiny", "name: my test", "name: invalid experiment name 'my test'; use only letters"),
        ("name: tiny", "name: 3", "name: must be text, not 3"),
        (
            "[td3_bc, bc]",
            "{bc: {state_normalization: [1, 0, 8]}}",
            "algorithms.bc.state_normalization.1: must be greater than 0, not 0",
        ),
        (
            "[td3_bc, bc]",
            "{bc: {state_normalization: mean}}",
            "state_normalization: must be 'standardize' or 'none' or a list, not 'mean'",
        ),
        (
            "[td3_bc, bc]",
            "{bc: {precision: tf32}}\nresources: {algorithms: {bc: {cpus: 2}}}",
            "algorithm bc: precision tf32 requires a GPU; set resources.gpus to 1",
        ),
        ("[td3_bc, bc]", "[bc, td3_bc, bc]", "algorithms: bc is listed twice"),
        (
            "[td3_bc, bc]",
            "[bc]\nresources: {gpus: 2}",
            "resources.gpus: must be less than or equal to 1, not 2",
        ),
        (
            "[pendulum-random-v0, pendulum-expert-v0]\nalgorithms: [td3_bc, bc]",
            "[{name: x--y, path: a}, {name: y, path: b}]\nalgorithms: {bc: , bc--x: {algorithm: bc}}",
            "two trials would share the folder bc--x--y--0; rename an algorithm",
        ),
        ("seeds: 2", "seeds: 2\nsweep: {algorithms.td3_bc.alpha: [1, 1.0]}", "alpha: 1.0 is listed twice"),
        (
            "[td3_bc, bc]",
            "{bc: , 'bc@batch_size=1': {algorithm: bc}}\nsweep: {algorithms.bc.batch_size: [1]}",
            "two variants would have the name bc@batch_size=1; rename one",
        ),
        ("name: tiny", "name: [", "YAML"),
        ("seeds: 2", "seeds: [true]", "seeds.0: must be a number, not True"),
        (
            "seeds: 2",
            "seeds: 2\ntraining: {gradient_steps: true}",
            "gradient_steps: must be a number, not True",
        ),
        ("seeds: 2", "seeds: 2\nresources: {cpus: true}", "resources.cpus: must be a number, not True"),
        ("seeds: 2", "seeds: 2\nresources: {pack: true}", "must be a number or 'auto', not True"),
        ("[td3_bc, bc]", "{bc: {hidden_sizes: [true]}}", "algorithms.bc.hidden_sizes.0: must be a number"),
        (
            "[td3_bc, bc]",
            "{bc: {actor_learning_rate: true}}",
            "actor_learning_rate: must be a number, not True",
        ),
        ("seeds: 2", "seeds: 2\nsweep: {algorithms.bc.batch_size: [true]}", "batch_size: must be a number"),
        (
            "[td3_bc, bc]",
            "{x: {algorithm: [bc]}}",
            r"must be the name of an algorithm, not \['bc'\]",
        ),
        ("seeds: 2", "seeds: 2\n1: 1", "unknown key 1; allowed are algorithms, data, datasets"),
        ("algorithms:", "algorithm:", r"unknown key algorithm; did you mean algorithms\?$"),
        ("seeds: 2", "seed: 2", r"unknown key seed; did you mean seeds\?$"),
        (
            "seeds: 2",
            "seeds: 2\ngradient_steps: 9",
            r"gradient_steps; did you mean training.gradient_steps\?$",
        ),
        (
            "[td3_bc, bc]",
            "{bc: {batchsize: 9}}",
            r"yaml: unknown key algorithms.bc.batchsize; did you mean ba",
        ),
        ("pendulum-expert-v0]", "'']", "datasets.1.name: String should have at least 1 character"),
    ],
)
def test_invalid_value_raises_one_line_that_names_it(old, new, complaint):
    assert old in MINIMAL
    with pytest.raises(HarnessError, match=complaint) as error:
        parse(MINIMAL.replace(old, new))
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("tiny.yaml")


@given(st.text(min_size=1))
def test_slug_is_a_valid_file_name(name):
    assert slug(name)
    assert not set(slug(name)) & set('/\\:*?"<>| \n\0')
    assert not slug(name).startswith(".")


def test_slug_of_non_ascii_names_is_readable_and_unique():
    assert slug("minari:mujoco/hopper/medium-v0") == "minari-mujoco-hopper-medium-v0"
    assert slug("données-v0").startswith("donnees-v0-")
    names = ["数据一", "数据二", "données", "donnees", "donnêes", "Größe", "Große"]
    assert len({slug(name) for name in names}) == len(names)
    assert all(slug(name).isascii() for name in names)
    assert slug("donn\u00e9es") == slug("donne\u0301es")


def test_datasets_with_similar_non_ascii_names_are_different():
    named = "[{name: 数据一, path: a.hdf5}, {name: 数据二, path: b.hdf5}]"
    experiment = parse(MINIMAL.replace("[pendulum-random-v0, pendulum-expert-v0]", named))
    assert len({trial.key for trial in experiment.trials()}) == len(experiment.trials())


def test_mixture_with_invalid_shares_raises():
    text = MINIMAL.replace(
        "[pendulum-random-v0,", "[{name: mix, mixture: {pendulum-random-v0: 0.3, x: 0.7}},"
    )
    assert parse(text).datasets[0].mixture == {"pendulum-random-v0": 0.3, "x": 0.7}
    with pytest.raises(HarnessError, match=r"add up to 1\.3, not 1"):
        parse(text.replace("0.3", "0.6"))
    with pytest.raises(HarnessError, match="both path and mixture"):
        parse(text.replace("{name: mix,", "{name: mix, path: a.hdf5,"))


def test_trial_with_a_negative_seed_raises():
    with pytest.raises(ValidationError, match="seed"):
        Trial.model_validate(parse().trials()[0].model_dump() | {"seed": -1})


@pytest.mark.timeout(20)
def test_maximum_number_of_seeds_is_validated_quickly():
    assert len(parse(MINIMAL.replace("seeds: 2", "seeds: 100000")).seeds) == 100_000


def test_searches_of_a_grid_have_the_values_of_each_variant():
    experiment = parse(MINIMAL + "sweep: {algorithms.td3_bc.alpha: [1, 2.5]}\n")
    (search,) = experiment.searches().values()
    assert search.name == "td3_bc"
    assert search.samples == {"td3_bc@alpha=1": {"alpha": 1.0}, "td3_bc@alpha=2.5": {"alpha": 2.5}}
    assert parse(MINIMAL).searches() == {}


RANGE = "sweep: {algorithms.td3_bc.alpha: {log_uniform: [0.1, 10]}}\n"


def test_samples_of_ranges_are_variants_of_one_search():
    experiment = parse(MINIMAL + RANGE + "samples: 3\n")
    search = experiment.searches()["td3_bc"]
    assert list(search.samples) == ["td3_bc@s00", "td3_bc@s01", "td3_bc@s02"]
    assert search.drawn
    for name, values in search.samples.items():
        assert experiment.variants()[name].alpha == values["alpha"]


def test_sweep_of_lists_and_ranges_tries_each_combination_with_each_sample():
    axes = "{algorithms.td3_bc.alpha: {uniform: [1, 4]}, algorithms.td3_bc.policy_freq: [1, 2]}"
    search = parse(MINIMAL + f"sweep: {axes}\nsamples: 2\n").searches()["td3_bc"]
    assert list(search.samples) == [
        "td3_bc@policy_freq=1,s00",
        "td3_bc@policy_freq=1,s01",
        "td3_bc@policy_freq=2,s00",
        "td3_bc@policy_freq=2,s01",
    ]
    alphas = [values["alpha"] for values in search.samples.values()]
    assert alphas[:2] == alphas[2:]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{log_uniform: [10, 0.1]}", r"alpha: log_uniform: the range is inverted; write \[0.1, 10\]"),
        ("{log_uniform: [0, 1]}", "alpha: log_uniform: must start above 0, not at 0"),
        ("{uniform: [1, 1]}", "alpha: uniform: the range from 1 to 1 is empty"),
        ("{uniform: [1]}", "alpha: uniform.1 is missing"),
        ("{unifrm: [1, 2]}", r"alpha: must be a list of values or a range \(uniform, log_uniform"),
        ("{uniform: [0, 1], choice: [2]}", "alpha: must be a list of values or a range"),
        ("{choice: [1, 1]}", "alpha: choice: 1 is listed twice"),
        ("{choice: [1, 2]}", "3 exceeds the 2 different settings of td3_bc"),
        ("[1, 2]", "samples: 3 requires a range in sweep"),
        ("[]", "alpha: the list is empty"),
        ("{uniform: [-1, 1]}", "sweep.algorithms.td3_bc.alpha: must be greater than or equal to 0, not -1"),
    ],
)
def test_sweep_with_an_invalid_range_raises_one_line(text, message):
    with pytest.raises(HarnessError, match=message):
        parse(MINIMAL + f"sweep: {{algorithms.td3_bc.alpha: {text}}}\nsamples: 3\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (RANGE, "alpha is a range; set samples: N, the number of values to draw"),
        ("samples: 3\n", "samples: 3 requires a range in sweep"),
        (RANGE + "samples: 0\n", "samples: must be greater than or equal to 1"),
        (RANGE + "samples: 2\nsampling: grid\n", "sampling: must be 'sobol' or 'random'"),
        (RANGE + "samples: 2\nsampled: {td3_bc: [{alpha: 1}]}\n", "sampled: these are not the samples"),
        (RANGE + "samples: 1\nsampled: {td3_bc: [{tau: 1}]}\n", "sampled: these are not the samples"),
        (
            "sweep: {algorithms.td3_bc.policy_freq: {uniform: [1, 5]}}\nsamples: 2\n",
            "policy_freq: must be a whole number, not .*; integers and log_integers draw whole numbers",
        ),
        (
            "sweep: {algorithms.td3_bc.tau: {log_uniform: [0.1, 5]}}\nsamples: 2\n",
            "sweep.algorithms.td3_bc.tau: must be less than or equal to 1, not 5",
        ),
    ],
)
def test_samples_that_do_not_fit_the_ranges_raise_one_line(text, message):
    with pytest.raises(HarnessError, match=message):
        parse(MINIMAL + text)


SEARCH = MINIMAL + RANGE + "samples: 9\n"
LENGTH = "training: {gradient_steps: 1000}\nevaluation: {interval: 100}\n"


def test_rungs_follow_from_first_rung_and_eta():
    assert parse(SEARCH + LENGTH + "halving: {first_rung: 100, eta: 3}\n").rungs == (100, 300, 900)
    assert parse(SEARCH + LENGTH + "halving: {rungs: [200, 500]}\n").rungs == (200, 500)
    assert parse(SEARCH + LENGTH).rungs == ()


@pytest.mark.parametrize(
    ("halving", "message"),
    [
        ("{}", r"halving: give either rungs: \[STEP, ...\] or first_rung: STEP"),
        ("{rungs: [100], first_rung: 100}", "halving: give either rungs"),
        ("{rungs: [500, 200]}", r"halving: rungs must be ascending gradient steps, got \[500, 200\]"),
        ("{rungs: [0]}", "halving: rungs must be ascending"),
        ("{rungs: [150]}", r"rung 150 must be a multiple of evaluation.interval \(100\)"),
        ("{rungs: [1000]}", r"rung 1,000 .* less than training.gradient_steps \(1,000\)"),
        ("{first_rung: 1000}", "halving: rung 1,000 must be .* less than training.gradient_steps"),
        ("{first_rung: 50, eta: 1}", "halving.eta: must be greater than or equal to 2"),
        ("{first_rung: 10, eta: 2}", "rung 10 must be a multiple"),
    ],
)
def test_halving_with_invalid_rungs_raises_one_line(halving, message):
    with pytest.raises(HarnessError, match=message):
        parse(SEARCH + LENGTH + f"halving: {halving}\n")


def test_halving_without_samples_raises_one_line():
    with pytest.raises(HarnessError, match="halving compares the samples of ranges in sweep"):
        parse(MINIMAL + LENGTH + "halving: {rungs: [500]}\n")
