#!/bin/bash
# sbatch --nodes=4 experiments/cluster/slurm.sh experiments/d4rl-gym-mujoco-v2.yaml [options of harness run]
#
# Starts a Ray cluster on the allocated nodes and runs the experiment on it. Submit it from the project's folder on
# the shared file system, with `harness` on the PATH (or HARNESS_VENV naming a virtual environment). When the time
# limit comes near, or a node is lost, the job is put back in the queue and continues from its checkpoints.
#SBATCH --job-name=offline-rl-harness
#SBATCH --nodes=2
#SBATCH --ntasks-per-node=1
#SBATCH --exclusive
#SBATCH --time=24:00:00
#SBATCH --requeue
#SBATCH --open-mode=append
#SBATCH --signal=B:TERM@120

set -euo pipefail
if [ $# -eq 0 ]; then
    echo "usage: sbatch [--nodes=N] $0 FILE [options of harness run]" >&2
    exit 2
fi
[ -z "${HARNESS_VENV:-}" ] || source "$HARNESS_VENV/bin/activate"

# One token per job, readable by its owner alone.
umask 077
export RAY_AUTH_MODE=token
export RAY_AUTH_TOKEN_PATH="$PWD/.ray-token-$SLURM_JOB_ID"
export RAY_USAGE_STATS_ENABLED=0
head -c 32 /dev/urandom | od -An -tx1 | tr -d ' \n' >"$RAY_AUTH_TOKEN_PATH"
umask 022

# TMPDIR may be too long for Ray's sockets.
export RAY_TMPDIR="/tmp/ray-$SLURM_JOB_ID"

nodes=($(scontrol show hostnames "$SLURM_JOB_NODELIST"))
head=${nodes[0]}
address=$(srun --nodes=1 --ntasks=1 --nodelist="$head" hostname --ip-address | awk '{print $1}')
port=$((20000 + SLURM_JOB_ID % 20000))
cpus=${SLURM_CPUS_ON_NODE:-$(nproc)}
started=()

finish() {
    [ ${#started[@]} -eq 0 ] || kill "${started[@]}" 2>/dev/null || true
    rm -f "$RAY_AUTH_TOKEN_PATH"
    srun --ntasks-per-node=1 rm -rf "$RAY_TMPDIR" || true
}
trap finish EXIT

srun --nodes=1 --ntasks=1 --nodelist="$head" \
    ray start --head --block --node-ip-address="$address" --port="$port" --num-cpus="$cpus" \
    --include-dashboard=false --disable-usage-stats &
started+=($!)
for node in "${nodes[@]:1}"; do
    srun --nodes=1 --ntasks=1 --nodelist="$node" \
        ray start --block --address="$address:$port" --num-cpus="$cpus" --disable-usage-stats &
    started+=($!)
done

for _ in $(seq 60); do
    if ray health-check --address "$address:$port" >/dev/null 2>&1; then break; fi
    sleep 1
done

harness run "$@" --address "$address:$port" &
driver=$!
again() {
    kill -TERM "$driver" 2>/dev/null || true
    wait "$driver" || true
    scontrol requeue "$SLURM_JOB_ID"
    exit 0
}
trap again TERM
wait "$driver"
