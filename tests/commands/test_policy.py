"""`harness policy`, as a user types it."""

import json

import numpy as np
import pytest

from harness import cli, load_policy
from harness.policies.files import dumps
from tests.commands.policies import write_results


@pytest.fixture(autouse=True)
def _in_an_empty_directory(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def directory(tmp_path):
    return write_results(tmp_path / "small")


def said(capsys, *arguments):
    status = cli.main(["policy", *(str(argument) for argument in arguments)])
    return status, capsys.readouterr()


def test_policies_are_listed_with_their_scores(capsys, directory):
    status, text = said(capsys, "list", directory, "--only", "algorithm=bc")
    assert status == 0
    assert text.out.count("policy.npz") == 2
    assert "td3_bc" not in text.out
    status, text = said(capsys, "list", directory, "--json")
    first, *_ = rows = json.loads(text.out)
    assert len(rows) == 4
    info = load_policy(first["file"]).info
    assert first["return"] == pytest.approx(np.mean(info.episode_returns))
    assert first["score"] == pytest.approx(100 * (first["return"] + 1200) / 1050)


def test_damaged_policy_does_not_hide_the_others(capsys, directory):
    next(directory.glob("trials/bc--*--1/policy.npz")).write_bytes(b"hello")
    status, text = said(capsys, "list", directory)
    assert status == 1
    assert text.out.count("policy.npz") == 3
    assert "not a policy file, or damaged" in text.err


@pytest.mark.parametrize(("file_format", "suffix"), [("npz", "npz"), ("torchscript", "pt"), ("onnx", "onnx")])
def test_policies_are_exported_with_their_cards(capsys, directory, tmp_path, file_format, suffix):
    if file_format == "onnx":
        pytest.importorskip("onnx")
    arguments = ("--only", "seed=1", "--format", file_format, "--output", "out", "--card")
    status, _ = said(capsys, "export", directory, *arguments)
    assert status == 0
    stems = [f"{name}--pendulum-expert-v0--1" for name in ("bc", "td3_bc")]
    written = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert written == sorted(f"{stem}.{end}" for stem in stems for end in ("md", suffix))
    assert f"{stems[0]}.{suffix}" in (tmp_path / "out" / f"{stems[0]}.md").read_text()


def test_single_policy_is_exported_to_the_file_that_is_named(capsys, directory, tmp_path):
    source = next(directory.glob("trials/bc--*--1/policy.npz"))
    assert said(capsys, "export", source, "--output", "mine.npz")[0] == 0
    state = np.ones(3)
    np.testing.assert_array_equal(load_policy(tmp_path / "mine.npz")(state), load_policy(source)(state))


def test_name_in_a_policy_file_leads_out_of_no_folder(capsys, directory, tmp_path):
    saved = load_policy(next(directory.glob("trials/bc--*--1/policy.npz")))
    info = saved.info.model_copy(update={"variant": "../../bc"})
    (tmp_path / "theirs.npz").write_bytes(dumps(saved.policy, info, 3, 1))
    status, text = said(capsys, "export", tmp_path / "theirs.npz", "--format", "torchscript")
    assert (status, text.out) == (0, "bc--pendulum-expert-v0--1.pt\n")


def test_several_policies_are_not_written_over_each_other(capsys, directory):
    status, text = said(capsys, "export", directory, "--output", "mine.npz")
    assert status == 2
    assert "--output mine.npz: 4 policies do not fit in one file" in text.err


def test_rebuild_without_a_checkpoint_prints_one_line(capsys, directory):
    next(directory.glob("trials/bc--*--1/policy.npz")).unlink()
    status, text = said(capsys, "rebuild", directory)
    assert status == 1
    assert text.err == (
        "harness: error: bc--pendulum-expert-v0--1: its checkpoint at step 1,000 is missing; train it again "
        "to get its policy\n"
    )
    assert text.out == "rebuilt 0 of 4 policies; 3 already existed.\n"


def test_results_without_policies_say_how_to_get_them(capsys, directory):
    for path in directory.glob("trials/*/policy.npz"):
        path.unlink()
    assert f"harness policy rebuild {directory}" in said(capsys, "list", directory)[1].out
    status, text = said(capsys, "export", directory)
    assert status == 2
    assert f"harness policy rebuild {directory}" in text.err
