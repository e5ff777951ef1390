# Everything a fresh machine with Python 3.11 and make needs: each target sets up .venv once by itself.

PYTHON ?= python3.11
VENV := .venv
# Processes that share the tests; some start Ray, so that more than cores are no gain.
TEST_WORKERS ?= 2
BIN := $(VENV)/bin
READY := $(VENV)/.ready
D4RL := $(VENV)/d4rl
D4RL_READY := $(D4RL)/.ready
D4RL_MUJOCO2 := $(VENV)/d4rl-mujoco2
D4RL_MUJOCO2_READY := $(D4RL_MUJOCO2)/.ready

# Tests start many Python processes, which share what Python compiles.
unexport PYTHONDONTWRITEBYTECODE

# mkdocs-material announces its successor at each build otherwise.
export NO_MKDOCS_2_WARNING := 1

.PHONY: help demo test test-faults test-d4rl chaos test-wheel lint format docs docs-serve bench bench-data bench-driver bench-reporting clean

help:
	@echo "make demo             set up and run the quick Pendulum benchmark (about three minutes)"
	@echo "make test             set up and run the tests"
	@echo "make lint             ruff and mypy"
	@echo "make format           rewrite the code in ruff's format"
	@echo "make docs             build the documentation into build/site"
	@echo "make docs-serve       show it on http://127.0.0.1:8000 and build it again when a page changes"
	@echo "make test-d4rl        compare registry, reader and environments with the d4rl package itself"
	@echo "make test-wheel       install the package in a fresh environment, as users do, and run an experiment there"
	@echo "make test-faults      every fault test: killed workers, drivers and nodes, full disks"
	@echo "make chaos            random kills over a whole small experiment, 20 rounds"
	@echo "make bench            measure speed; writes results/bench/"
	@echo "make bench-data       reading datasets, next to d4rl's own reader"
	@echo "make bench-driver     what scheduling costs"
	@echo "make bench-reporting  tables and reports of 10,000 trials"
	@echo "make clean            remove .venv"

demo: $(READY)
	$(BIN)/harness run experiments/quickstart.yaml

test: $(READY)
	$(BIN)/python -m pytest -n $(TEST_WORKERS) --dist worksteal --cov --cov-report term:skip-covered
	$(BIN)/python -m pytest --nbmake examples/tour.ipynb

test-faults: $(READY)
	$(BIN)/python -m pytest -m faults

chaos: $(READY)
	$(BIN)/python -m tests.faults.chaos --rounds 20 --seed 0

test-d4rl: $(D4RL_READY) $(D4RL_MUJOCO2_READY)
	HARNESS_D4RL_PYTHON=$(D4RL)/bin/python HARNESS_D4RL_MUJOCO2_PYTHON=$(D4RL_MUJOCO2)/bin/python \
		$(BIN)/python -m pytest tests/d4rl_conformance

# As users install it, with the newest dependencies; options for pip: make test-wheel PIP_OPTIONS='--constraint FILE'
test-wheel:
	tools/test_wheel.sh $(PYTHON) $(PIP_OPTIONS)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

docs: $(READY)
	$(BIN)/python -m mkdocs build --strict --quiet

docs-serve: $(READY)
	$(BIN)/python -m mkdocs serve --strict

bench: $(READY)
	$(BIN)/python -m tests.benchmarks.evaluation

bench-data: $(D4RL_READY)
	HARNESS_D4RL_PYTHON=$(D4RL)/bin/python $(BIN)/python -m tests.benchmarks.data

bench-driver: $(READY)
	$(BIN)/python -m tests.benchmarks.driver

bench-reporting: $(READY)
	$(BIN)/python -m tests.benchmarks.reporting

clean:
	rm -rf $(VENV)

# Where Python 3.11 goes by another name: make PYTHON=python3 demo.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)

# d4rl without its dependencies, which need mujoco-py, in a separate environment.
$(D4RL_READY): $(READY)
	$(BIN)/python -m venv $(D4RL)
	$(D4RL)/bin/python -m pip install --quiet --upgrade pip
	$(D4RL)/bin/python -m pip install --quiet --no-deps d4rl==1.1
	$(D4RL)/bin/python -m pip install --quiet --constraint constraints.txt gymnasium h5py mujoco numpy scipy tqdm
	touch $(D4RL_READY)

# The same on the last MuJoCo 2, the nearest to mujoco-py's that installs on Python 3.11.
$(D4RL_MUJOCO2_READY): $(READY)
	$(BIN)/python -m venv $(D4RL_MUJOCO2)
	$(D4RL_MUJOCO2)/bin/python -m pip install --quiet --upgrade pip
	$(D4RL_MUJOCO2)/bin/python -m pip install --quiet --no-deps d4rl==1.1
	$(D4RL_MUJOCO2)/bin/python -m pip install --quiet h5py mujoco==2.3.7 'numpy<2' scipy tqdm
	touch $(D4RL_MUJOCO2_READY)
