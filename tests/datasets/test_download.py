import hashlib
import multiprocessing
from dataclasses import replace

import pytest

from harness.datasets import files, registry, transfer
from harness.datasets.download import download
from harness.errors import HarnessError
from tests.datasets.server import serving

NAME = "/gym_mujoco_v2/hopper_medium-v2.hdf5"


@pytest.fixture(autouse=True)
def _quick_attempts(monkeypatch):
    monkeypatch.setattr(transfer, "ATTEMPTS", 3)
    monkeypatch.setattr(transfer, "STALL_SECONDS", 1.0)
    monkeypatch.setattr(transfer, "PAUSE_SECONDS", 0.01)


@pytest.fixture
def server():
    with serving() as running:
        yield running


@pytest.fixture
def content(generated):
    return generated("source.hdf5", rows=4000, observation_size=11, action_size=3).read_bytes()


@pytest.fixture
def dataset(server, content):
    server.files[NAME] = content
    return replace(
        registry.find("hopper-medium-v2"),
        url=server.url + NAME,
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )


def test_download_writes_d4rls_file_name_and_its_digest(dataset, content, tmp_path):
    seen = []
    path = download(dataset, progress=lambda done, total: seen.append((done, total)))
    assert path == tmp_path / "d4rl" / "hopper_medium-v2.hdf5"
    assert path.read_bytes() == content
    assert files.recorded_digest(path) == dataset.sha256
    assert seen[-1] == (len(content), len(content))
    assert sorted(p.name for p in path.parent.iterdir() if not p.name.startswith(".")) == [
        "hopper_medium-v2.hdf5",
        "hopper_medium-v2.hdf5.sha256",
    ]


def test_download_of_a_file_that_exists_keeps_it(dataset, server, tmp_path):
    path = tmp_path / "d4rl" / "hopper_medium-v2.hdf5"
    path.parent.mkdir()
    path.write_bytes(b"mine")
    assert download(dataset).read_bytes() == b"mine"
    assert not server.requests


@pytest.mark.parametrize("trouble", ["cut", "stall", 503, 429])
def test_download_after_a_temporary_failure_succeeds(dataset, server, content, trouble):
    server.script = [trouble, trouble]
    assert download(dataset).read_bytes() == content
    assert len(server.requests) == 3


def test_download_skips_a_mirror_that_is_not_a_url(dataset, content):
    assert download(dataset, mirrors=["http://[bad"]).read_bytes() == content


def test_download_skips_a_mirror_whose_path_cannot_be_read(dataset, content, tmp_path):
    assert download(dataset, mirrors=[str(tmp_path / ("x" * 300))]).read_bytes() == content


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ([403] * 9, "answered 403 Forbidden"),
        ([404] * 9, "answered 404 Not Found"),
        ([500] * 9, r"answered 500 Internal Server Error \(3 attempts\)"),
        (["page"] * 9, "the server answered with a web page"),
        (["untitled page"] * 9, "the downloaded file is not HDF5"),
    ],
)
def test_download_after_a_lasting_failure_is_rejected_with_a_fix(dataset, server, script, said):
    server.script = script
    with pytest.raises(HarnessError, match=said) as caught:
        download(dataset)
    assert "\n" not in str(caught.value)
    assert "--mirror" in str(caught.value)
    assert not dataset.local_path.exists()


def test_download_without_a_server_is_rejected(dataset):
    with pytest.raises(HarnessError, match="no connection"):
        download(replace(dataset, url="http://127.0.0.1:9/x/hopper.hdf5"))


def test_download_from_a_server_that_stalls_is_rejected(dataset, server):
    server.files[NAME] = server.files[NAME][:2]  # so that half of it is one byte, then none
    server.script = ["stall"] * 9
    with pytest.raises(HarnessError, match=r"stalled|closed after|interrupted"):
        download(dataset)


def test_download_of_another_file_is_rejected_unless_accepted(dataset, content):
    other = replace(dataset, sha256="0" * 64)
    with pytest.raises(HarnessError, match=r"has SHA-256 .* --accept"):
        download(other)
    assert download(other, accept=True).read_bytes() == content


def test_download_of_another_size_without_a_known_digest_is_rejected_unless_accepted(dataset, content):
    other = replace(dataset, size=10**9, sha256=None)
    with pytest.raises(HarnessError, match=f"has {len(content)} bytes, but 1000000000 are published; --acc"):
        download(other)
    assert download(other, accept=True).read_bytes() == content


def test_download_of_a_larger_file_stops_before_its_rest_arrives(dataset, content):
    other, seen = replace(dataset, size=7), []
    with pytest.raises(HarnessError, match=r"larger than the published 7 bytes; --accept"):
        download(other, progress=lambda done, total: seen.append(done))
    assert not seen
    assert not other.local_path.exists()
    assert download(other, accept=True).read_bytes() == content


def test_download_of_an_accepted_web_page_is_rejected(dataset, server):
    server.script = ["untitled page"] * 9
    with pytest.raises(HarnessError, match="the downloaded file is not HDF5"):
        download(dataset, accept=True)


@pytest.mark.parametrize("form", ["directory", "file URL", "directory with D4RL's folders"])
def test_download_from_a_directory_copies_the_file(dataset, server, content, tmp_path, form):
    mirror = tmp_path / "a mirror"
    target = mirror / NAME.lstrip("/") if "folders" in form else mirror / dataset.file
    target.parent.mkdir(parents=True)
    target.write_bytes(content)
    path = download(dataset, [mirror.as_uri() if form == "file URL" else str(mirror)])
    assert path.read_bytes() == content
    assert not server.requests


def test_download_tries_mirrors_in_order_and_d4rls_server_last(
    dataset, server, content, monkeypatch, tmp_path
):
    monkeypatch.setenv("HARNESS_D4RL_MIRRORS", f"{server.url}/second {tmp_path / 'nothing'}")
    server.script = [404, 404, 404, 404]
    assert download(dataset, [f"{server.url}/first/"]).read_bytes() == content
    assert server.requests == [
        f"/first{NAME}",
        "/first/hopper_medium-v2.hdf5",
        f"/second{NAME}",
        "/second/hopper_medium-v2.hdf5",
        NAME,
    ]


def test_download_to_a_disk_that_fills_up_is_rejected(dataset, monkeypatch):
    monkeypatch.setattr(transfer, "PIECE", 1000)

    def fill_up(done, total):
        if done > 3000:
            raise OSError(28, "No space left on device")

    with pytest.raises(HarnessError, match=r"cannot be written .No space left on device.; free space there"):
        download(dataset, progress=fill_up)
    assert not list(dataset.local_path.parent.glob("*.part"))


def test_download_to_an_unwritable_directory_is_rejected(dataset, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("D4RL_DATASET_DIR", str(tmp_path / "file" / "below"))
    with pytest.raises(HarnessError, match="cannot be written"):
        download(dataset)


def test_download_by_several_processes_fetches_the_file_once(dataset, server, content):
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=download, args=(dataset,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0] * 4
    assert dataset.local_path.read_bytes() == content
    assert len(server.requests) == 1
