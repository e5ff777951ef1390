import pytest

from harness import experiment_file
from harness.errors import HarnessError

TEXT = """
name: tiny
datasets: [pendulum-random-v0, pendulum-expert-v0]
algorithms: [td3_bc, bc]
seeds: 2
"""


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "tiny.yaml"
    path.write_text(TEXT)
    return path


def test_load_with_settings_changes_nested_values(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    experiment = experiment_file.load(
        path,
        [
            "training.gradient_steps=20000",
            "algorithms.td3_bc.alpha=1e-1",
            "datasets.1={name: mine, path: some/file.hdf5}",
            "algorithms.bc.state_normalization=[1, 1, 8]",
        ],
        seeds="3",
    )
    assert experiment.training.gradient_steps == 20_000
    assert experiment.algorithms["td3_bc"].model_dump()["alpha"] == 0.1
    assert experiment.datasets[1].path == str(tmp_path / "some/file.hdf5")  # workers run elsewhere
    assert experiment.algorithms["bc"].state_normalization == (1.0, 1.0, 8.0)
    assert experiment.seeds == (0, 1, 2)


def test_load_with_a_list_of_seeds(path):
    assert experiment_file.load(path, seeds="0,4,7").seeds == (0, 4, 7)


@pytest.mark.parametrize("seeds", ["five", "[0, 1]", "0,,x", "0", "-1", "1.5", "0,0"])
def test_load_with_invalid_seeds_raises_and_names_the_option(path, seeds):
    with pytest.raises(HarnessError) as error:
        experiment_file.load(path, seeds=seeds)
    assert str(error.value).startswith(f"--seeds {seeds}: ")


@pytest.mark.parametrize("spelling", ["False", "false", "no"])
def test_load_with_spellings_of_false_sets_false(path, spelling):
    experiment = experiment_file.load(path, [f"algorithms.td3_bc.normalize_lambda={spelling}"])
    assert experiment.algorithms["td3_bc"].model_dump()["normalize_lambda"] is False


def test_load_with_a_setting_of_a_sweep_axis_with_dots(path):
    path.write_text(TEXT + "sweep: {algorithms.td3_bc.alpha: [1]}")
    experiment = experiment_file.load(path, ["sweep.algorithms.td3_bc.alpha=[2, 3]"])
    assert experiment.sweep == {"algorithms.td3_bc.alpha": (2, 3)}


def test_load_with_settings_that_are_valid_only_together(path):
    mixture = "{name: mix, mixture: {pendulum-random-v0: 0.95, pendulum-expert-v0: 0.05}}"
    path.write_text(TEXT.replace("pendulum-expert-v0]", mixture + "]"))
    shares = "datasets.1.mixture.pendulum-random-v0=0.4", "datasets.1.mixture.pendulum-expert-v0={}"
    mixed = experiment_file.load(path, [shares[0], "seeds=3", shares[1].format(0.6)]).datasets[1].mixture
    assert mixed == {"pendulum-random-v0": 0.4, "pendulum-expert-v0": 0.6}
    with pytest.raises(HarnessError, match=r"^--set .*random-v0=0.4 --set .*expert-v0=0.5: .*up to 0.9"):
        experiment_file.load(path, [shares[0], shares[1].format(0.5)])


def test_load_with_an_invalid_setting_names_it(path):
    with pytest.raises(HarnessError, match=r"^--set training.gradient_steps=0: training.gradient_steps"):
        experiment_file.load(path, ["seeds=3", "training.gradient_steps=0"])
    settings = ["training.gradient_steps=0", "training.gradient_steps=5"]
    assert experiment_file.load(path, settings).training.gradient_steps == 5


@pytest.mark.parametrize(
    "setting",
    [
        "sweep.algorithms.td3_bc.alpha=[1, 2]",
        "algorithms.td3={}",
        "algorithms.slow={algorithm: td3, tau: 0.1}",
        "resources.algorithms.bc.cpus=2",
        "resources.algorithms.bc={cpus: 2}",
    ],
)
def test_load_with_settings_adds_keys_to_open_mappings(path, setting):
    before, after = experiment_file.load(path), experiment_file.load(path, [setting])
    assert (len(after.variants()), after.resources.of("bc").cpus) != (2, 1)
    assert len(before.variants()) == 2


@pytest.mark.parametrize(
    ("setting", "complaint"),
    [
        ("resources.algorithms.bc.cpu=1", "did you mean cpus"),
        ("resources.algorithms.cql.gpus=1", "no algorithm cql"),
        ("sweep.algorithms.bc.alpha=[1]", "alpha"),
        ("algorithms={bc: {}, bc: {}}", "duplicate key bc"),
        ("training.gradient_step=1", "no training.gradient_step; did you mean gradient_steps"),
        ("algorithms.td3.alpha=1", "no algorithms.td3.alpha"),
        ("datasets.7.path=x", "no datasets.7.path"),
        ("training.gradient_steps.more=1", "is a value and has no more"),
        ("training.gradient_steps", "key.path=value"),
        ("=3", "key.path=value"),
        ("seeds=[", "not valid YAML"),
        ("seeds=0", "seeds"),
        ("algorithms.td3_bc.normalize_lambda=Falsey", "normalize_lambda"),
    ],
)
def test_load_with_an_invalid_setting_raises_one_line(path, setting, complaint):
    with pytest.raises(HarnessError, match=complaint) as error:
        experiment_file.load(path, [setting])
    assert "\n" not in str(error.value)


def test_load_of_a_file_that_is_not_an_experiment_raises(tmp_path):
    (tmp_path / "binary.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(HarnessError, match=r"cannot be read \(not UTF-8 text, at byte 0\)"):
        experiment_file.load(tmp_path / "binary.yaml")
    (tmp_path / "list.yaml").write_text("[1, 2]")
    with pytest.raises(HarnessError, match="mapping"):
        experiment_file.load(tmp_path / "list.yaml")


@pytest.mark.parametrize("source", ["path: other.hdf5", "mixture: {pendulum-random-v0: 1.0}"])
def test_load_of_a_registered_name_with_another_source_raises(path, source):
    path.write_text(TEXT.replace("pendulum-expert-v0", f"{{name: pendulum-expert-v0, {source}}}"))
    with pytest.raises(HarnessError, match="pendulum-expert-v0: that is the name of a registered dataset"):
        experiment_file.load(path)


def test_load_of_a_duplicate_key_raises_with_its_line(path):
    path.write_text(TEXT + "seeds: 3\n")
    with pytest.raises(HarnessError, match=r"tiny.yaml, line 6: .*duplicate key seeds, first in line 5"):
        experiment_file.load(path)
    path.write_text(TEXT.replace("[td3_bc, bc]", "{bc: {}, bc: {algorithm: td3}}"))
    with pytest.raises(HarnessError, match=r"line 4: .*duplicate key bc"):
        experiment_file.load(path)


def test_load_of_a_merged_key_may_replace_it(path):
    algorithms = "{a: &a {algorithm: bc, batch_size: 8}, b: &b {<<: *a, batch_size: 9}, c: {<<: *b}}"
    path.write_text(TEXT.replace("[td3_bc, bc]", algorithms))
    assert [each.batch_size for each in experiment_file.load(path).algorithms.values()] == [8, 9, 9]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("[" * 500, "not valid YAML (nested too deeply, or"),
        ("a\0b", "not valid YAML (unacceptable character #x0000: special characters are not allowed)"),
    ],
)
def test_load_of_invalid_yaml_raises(path, value, problem):
    path.write_text(TEXT.replace("name: tiny", f"name: {value}"))
    with pytest.raises(HarnessError) as error:
        experiment_file.load(path)
    assert problem in str(error.value)
    assert "\n" not in str(error.value)
    path.write_text(TEXT)
    with pytest.raises(HarnessError, match=r"^--set name=.*: not valid YAML") as error:
        experiment_file.load(path, [f"name={value}"])
    assert "\n" not in str(error.value)


def test_load_of_a_path_of_an_unknown_user_raises(path):
    path.write_text(TEXT.replace("pendulum-expert-v0]", "{name: mine, path: ~nobody-of-this-name/y.hdf5}]"))
    with pytest.raises(HarnessError, match=r"dataset mine: ~nobody-of-this-name/.* unknown user"):
        experiment_file.load(path)


def test_load_does_not_execute_code(tmp_path):
    (tmp_path / "evil.yaml").write_text("name: !!python/object/apply:os.system ['true']")
    with pytest.raises(HarnessError, match="YAML"):
        experiment_file.load(tmp_path / "evil.yaml")


def test_load_with_another_number_of_samples_draws_them_again(path):
    path.write_text(TEXT + "sweep: {algorithms.td3_bc.alpha: {log_uniform: [0.1, 10]}}\nsamples: 2")
    two = experiment_file.load(path).sampled["td3_bc"]
    assert experiment_file.load(path, ["training.gradient_steps=10"]).sampled["td3_bc"] == two
    assert experiment_file.load(path, ["samples=3"]).sampled["td3_bc"][:2] == two
    assert experiment_file.load(path, ["sampling_seed=1"]).sampled["td3_bc"] != two


def test_load_of_resolved_samples_keeps_them(path):
    path.write_text(TEXT + "sweep: {algorithms.td3_bc.alpha: {log_uniform: [0.1, 10]}}\nsamples: 2")
    text = experiment_file.dump(experiment_file.load(path))
    first = experiment_file.parse(text, "").sampled["td3_bc"][0]["alpha"]
    edited = experiment_file.parse(text.replace(f"alpha: {first}", "alpha: 0.25"), "")
    assert edited.sampled["td3_bc"][0] == {"alpha": 0.25}
    assert edited.variants()["td3_bc@s00"].alpha == 0.25


@pytest.mark.parametrize(("written", "steps"), [("1e6", 1_000_000), ("2.5e3", 2_500), ("2_000", 2_000)])
def test_gradient_steps_as_a_whole_float_are_accepted(path, written, steps):
    path.write_text(TEXT + f"training: {{gradient_steps: {written}}}\n")
    read = experiment_file.load(path).training.gradient_steps
    assert (read, type(read)) == (steps, int)
    path.write_text(TEXT)
    assert experiment_file.load(path, [f"training.gradient_steps={written}"]).training.gradient_steps == steps


@pytest.mark.parametrize("steps", ["1e-1", "1.5", "1e400", "true", "1e13"])
def test_gradient_steps_out_of_range_or_fractional_raise(path, steps):
    with pytest.raises(HarnessError, match=r"training\.gradient_steps: must be"):
        experiment_file.load(path, [f"training.gradient_steps={steps}"])


def test_seeds_as_a_whole_float_are_a_number_of_seeds(path):
    path.write_text(TEXT.replace("seeds: 2", "seeds: 3.0"))
    assert experiment_file.load(path).seeds == (0, 1, 2)
    path.write_text(TEXT.replace("seeds: 2", "seeds: [1.0, 1e1]"))
    assert experiment_file.load(path).seeds == (1, 10)


def test_off_is_false_for_booleans_and_text_otherwise(path):
    path.write_text(
        TEXT.replace("name: tiny", "name: off").replace("[td3_bc, bc]", "{td3_bc: {normalize_lambda: off}}")
    )
    experiment = experiment_file.load(path)
    assert experiment.name == "off"
    assert experiment.algorithms["td3_bc"].model_dump()["normalize_lambda"] is False


def test_dump_then_load_returns_the_same_experiment(path):
    experiment = experiment_file.load(path, ["name='1e6'", "description='off: 0o7'"])
    assert experiment_file.parse(experiment_file.dump(experiment), "dumped") == experiment


SEED_LIMIT = 2**53


@pytest.mark.parametrize("setting", ["seeds=[{}]", "evaluation.seed={}"])
def test_seed_above_the_limit_raises(path, setting):
    experiment_file.load(path, [setting.format(SEED_LIMIT)])
    with pytest.raises(HarnessError, match="must be less than or equal to 9007199254740992"):
        experiment_file.load(path, [setting.format(SEED_LIMIT + 1)])
    with pytest.raises(HarnessError, match="must be greater than or equal to 0"):
        experiment_file.load(path, [setting.format(-1)])


def test_load_with_seeds_above_the_limit_raises(path):
    assert experiment_file.load(path, seeds=f"0,{SEED_LIMIT}").seeds == (0, SEED_LIMIT)
    with pytest.raises(HarnessError, match="equal to 9007199254740992"):
        experiment_file.load(path, seeds=f"0,{SEED_LIMIT + 1}")


def test_load_of_a_file_above_the_size_limit_raises(path):
    path.write_text(TEXT + "#" * 3_000_000)
    with pytest.raises(HarnessError, match=r"tiny.yaml: larger than 2 MiB"):
        experiment_file.load(path)


def test_load_of_a_relative_path_prefers_the_folder_of_the_file(tmp_path, monkeypatch):
    for folder in ("project", "elsewhere"):
        (tmp_path / folder).mkdir()
    file = tmp_path / "project" / "tiny.yaml"
    file.write_text(TEXT.replace("pendulum-expert-v0", "{name: mine, path: data.hdf5}"))
    monkeypatch.chdir(tmp_path / "elsewhere")
    for folder in ("elsewhere", "project"):  # neither there, then in the current folder, then in both
        assert experiment_file.load(file).datasets[1].path == str(tmp_path / "elsewhere" / "data.hdf5")
        (tmp_path / folder / "data.hdf5").touch()
    assert experiment_file.load(file).datasets[1].path == str(tmp_path / "project" / "data.hdf5")
    moved = experiment_file.load(file, ["datasets.1.path=data.hdf5"])
    assert moved.datasets[1].path == str(tmp_path / "elsewhere" / "data.hdf5")


def test_move_data_changes_only_paths(path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = experiment_file.load(path, ["datasets.1={name: mine, path: old.hdf5}"])
    after = experiment_file.move_data(before, ["datasets.1.path=new.hdf5"])
    assert after.datasets[1].path == str(tmp_path / "new.hdf5")
    assert [trial.digest for trial in after.trials()] == [trial.digest for trial in before.trials()]
    for setting in ("seeds=3", "datasets.1.name=other", "datasets.9.path=x.hdf5"):
        with pytest.raises(HarnessError, match=f"--set {setting}: "):
            experiment_file.move_data(before, [setting])
