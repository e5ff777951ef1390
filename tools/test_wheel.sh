#!/usr/bin/env bash
# Builds the wheel, installs it as users do, in a fresh environment and without constraints.txt, and runs a tenth of
# the quickstart there.
#
# usage: tools/test_wheel.sh PYTHON [OPTION OF PIP]...    such as --constraint FILE
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
python=$1
shift
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

git -C "$root" archive HEAD | tar -x -C "$folder" --one-top-level=source  # what is committed, as in a release
"$python" -m pip wheel --quiet --no-deps --wheel-dir "$folder" "$folder/source"
"$python" -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet "$@" "$folder"/*.whl

cp "$root/experiments/quickstart.yaml" "$folder"
cd "$folder"
unset PYTHONPATH
venv/bin/harness --version
venv/bin/harness run quickstart.yaml --set training.gradient_steps=400 --set evaluation.interval=40
venv/bin/harness table results/quickstart
