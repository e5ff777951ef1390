"""Tests of the launch files, as far as possible without their platforms."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from harness.commands.run import run

CLUSTER = Path(__file__).parents[2] / "experiments" / "cluster"


def words(text: str) -> set[str]:
    return set(text.split())


# Fields of ray.io/v1 RayJob, from the operator's custom resource definition
# (github.com/ray-project/kuberay, ray-operator/config/crd/bases/ray.io_rayjobs.yaml, August 2026).
RAY_JOB = words(
    """
    activeDeadlineSeconds backoffLimit clusterSelector deletionStrategy entrypoint entrypointNumCpus
    entrypointNumGpus entrypointResources jobId managedBy metadata preRunningDeadlineSeconds
    rayClusterSpec runtimeEnvYAML shutdownAfterJobFinishes submissionMode submitterConfig
    submitterPodTemplate suspend ttlSecondsAfterFinished
    """
)
RAY_CLUSTER = words(
    """
    authOptions autoscalerOptions enableInTreeAutoscaling gcsFaultToleranceOptions headGroupSpec
    headServiceAnnotations historyServerOptions managedBy networkPolicy rayVersion suspend tlsOptions
    upgradeStrategy workerGroupSpecs
    """
)
HEAD_GROUP = words(
    """
    enableIngress headService ingressOptions labels rayStartParams resources serviceType template
    """
)
WORKER_GROUP = words(
    """
    groupName idleTimeoutSeconds labels maxReplicas minReplicas numOfHosts priority rayStartParams
    replicas resources scaleStrategy suspend template
    """
)


def load(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((CLUSTER / name).read_text())
    return loaded


def accepted_by_the_command(words: list[str]) -> None:
    """Check that the words after `harness` are a valid run of an existing file."""
    assert words[0] == "run"
    parsed = run.make_context("run", words[1:]).params
    assert parsed["address"]
    file = parsed["file"].removeprefix("~/offline-rl-harness/")
    assert (CLUSTER.parents[1] / file).exists(), file


class TestKubernetes:
    def test_fields_are_known_to_the_operator(self) -> None:
        job = load("kubernetes.yaml")
        assert (job["apiVersion"], job["kind"]) == ("ray.io/v1", "RayJob")
        cluster = job["spec"]["rayClusterSpec"]
        assert set(job["spec"]) <= RAY_JOB
        assert set(cluster) <= RAY_CLUSTER
        assert set(cluster["headGroupSpec"]) <= HEAD_GROUP
        for group in cluster["workerGroupSpecs"]:
            assert set(group) <= WORKER_GROUP
            assert group["minReplicas"] <= group["replicas"] <= group["maxReplicas"]
            assert all(isinstance(value, str) for value in group["rayStartParams"].values())

    def test_token_is_required_and_versions_agree(self) -> None:
        cluster = load("kubernetes.yaml")["spec"]["rayClusterSpec"]
        assert cluster["authOptions"] == {"mode": "token"}
        image = re.search(r"^FROM rayproject/ray:([\d.]+)-py311$", (CLUSTER / "Dockerfile").read_text(), re.M)
        assert image is not None
        assert image[1] == cluster["rayVersion"]
        pinned = (CLUSTER.parents[1] / "constraints.txt").read_text()
        assert f"ray=={cluster['rayVersion']}\n" in pinned

    def test_entrypoint_is_a_valid_run(self) -> None:
        words = shlex.split(load("kubernetes.yaml")["spec"]["entrypoint"])
        assert words[0] == "harness"
        accepted_by_the_command(words[1:])

    def test_volumes_and_secrets_are_declared(self) -> None:
        cluster = load("kubernetes.yaml")["spec"]["rayClusterSpec"]
        for group in [cluster["headGroupSpec"], *cluster["workerGroupSpecs"]]:
            pod = group["template"]["spec"]
            declared = {volume["name"] for volume in pod.get("volumes", [])}
            for container in pod["containers"]:
                assert {mount["name"] for mount in container.get("volumeMounts", [])} <= declared
                assert container["resources"]["limits"] == container["resources"]["requests"]


class TestRayUp:
    def test_cluster_file_fits_the_schema_of_ray(self) -> None:
        import ray.autoscaler

        schema = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text())
        jsonschema.validate(load("aws.yaml"), schema)

    def test_cluster_file_is_accepted_by_ray(self) -> None:
        pytest.importorskip("boto3")
        from ray.autoscaler._private.util import fillout_defaults, validate_config

        config = fillout_defaults(load("aws.yaml"))
        validate_config(config)
        assert config["available_node_types"]["head"]["resources"]["CPU"] == 0

    def test_token_is_copied_to_every_machine_and_required(self) -> None:
        config = load("aws.yaml")
        assert config["file_mounts"]["~/.ray/auth_token"] == "~/.ray/auth_token"
        starts = config["head_start_ray_commands"] + config["worker_start_ray_commands"]
        for command in starts:
            assert command == "ray stop" or command.startswith("RAY_AUTH_MODE=token ray start ")

    def test_commands_are_valid_shell(self) -> None:
        config = load("aws.yaml")
        for command in config["setup_commands"] + config["head_start_ray_commands"]:
            subprocess.run(["bash", "-n", "-c", command], check=True)

    def test_command_in_the_comment_is_a_valid_run(self) -> None:
        shown = re.search(r"harness (run [^']*)'", (CLUSTER / "aws.yaml").read_text())
        assert shown is not None
        accepted_by_the_command(shlex.split(shown[1]))


class TestSlurm:
    """Tests with replacements of Slurm's commands that run on this machine."""

    @pytest.fixture
    def slurm(self, tmp_path: Path) -> dict[str, str]:
        stand_ins = {
            "scontrol": 'if [ "$1" = show ]; then echo node1; echo node2; else echo "$@" >>"$CALLS"; fi',
            "srun": 'while [[ "$1" == --* ]]; do shift; done; echo "srun $*" >>"$CALLS"; exec "$@"',
            "hostname": "echo 127.0.0.1",
            "ray": 'echo "ray $* mode=$RAY_AUTH_MODE token=$(wc -c <"$RAY_AUTH_TOKEN_PATH")'
            ' $(stat -c %a "$RAY_AUTH_TOKEN_PATH") in=$RAY_TMPDIR" >>"$CALLS";'
            ' [ "$1" = health-check ] || exec sleep 60;'
            ' [ $(grep -c "^ray start" "$CALLS") = 2 ]',
            "harness": 'echo "harness $*" >>"$CALLS"; [ -z "$LONG" ] ||'
            ' { trap "exit 143" TERM; sleep 60 & wait; }',
        }
        folder = tmp_path / "bin"
        folder.mkdir()
        for name, body in stand_ins.items():
            path = folder / name
            path.write_text(f"#!/bin/bash\n{body}\n")
            path.chmod(0o755)
        calls = tmp_path / "calls"
        calls.write_text("")
        return os.environ | {
            "PATH": f"{folder}:{os.environ['PATH']}",
            "CALLS": str(calls),
            "SLURM_JOB_ID": "4711",
            "SLURM_JOB_NODELIST": "node[1-2]",
            "SLURM_CPUS_ON_NODE": "3",
            "LONG": "",
        }

    def start(self, slurm: dict[str, str], *arguments: str) -> subprocess.Popen[bytes]:
        script = [str(CLUSTER / "slurm.sh"), *arguments]
        return subprocess.Popen(["bash", *script], cwd=Path(slurm["CALLS"]).parent, env=slurm)

    def test_script_starts_the_head_and_the_other_nodes_and_runs(self, slurm: dict[str, str]) -> None:
        assert self.start(slurm, "experiments/x.yaml", "--seeds", "3").wait(timeout=60) == 0
        calls = Path(slurm["CALLS"]).read_text().splitlines()
        port = 20000 + 4711
        heads = [call for call in calls if call.startswith("ray start --head")]
        others = [call for call in calls if call.startswith("ray start --block")]
        assert len(heads) == len(others) == 1
        assert f"--node-ip-address=127.0.0.1 --port={port} --num-cpus=3" in heads[0]
        assert f"--address=127.0.0.1:{port}" in others[0]
        for call in heads + others:
            assert call.endswith("mode=token token=64 600 in=/tmp/ray-4711")
        assert f"harness run experiments/x.yaml --seeds 3 --address 127.0.0.1:{port}" in calls
        assert not list(Path(slurm["CALLS"]).parent.glob(".ray-token-*")), "the token is removed"

    def test_script_at_its_time_limit_is_requeued(self, slurm: dict[str, str]) -> None:
        import time

        process = self.start(slurm | {"LONG": "1"}, "experiments/x.yaml")
        deadline = time.monotonic() + 60
        while "harness run" not in Path(slurm["CALLS"]).read_text() and time.monotonic() < deadline:
            time.sleep(0.05)
        process.terminate()
        assert process.wait(timeout=60) == 0
        assert "requeue 4711" in Path(slurm["CALLS"]).read_text()

    def test_script_exits_with_the_status_of_the_run(self, slurm: dict[str, str]) -> None:
        harness = Path(slurm["PATH"].split(":")[0]) / "harness"
        harness.write_text("#!/bin/bash\nexit 1\n")
        assert self.start(slurm, "experiments/x.yaml").wait(timeout=60) == 1

    def test_script_without_a_file_prints_its_usage(self, slurm: dict[str, str]) -> None:
        assert self.start(slurm).wait(timeout=60) == 2
