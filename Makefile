# Everything a fresh machine with Python 3.11 and make needs: each target sets up .venv once by itself.

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test test-faults test-d4rl chaos lint format bench bench-data bench-driver bench-reporting clean

help:
	@echo "make demo             set up and run the quick Pendulum benchmark (about three minutes)"
	@echo "make test             set up and run the tests"
	@echo "make lint             ruff and mypy"
	@echo "make format           rewrite the code in ruff's format"
	@echo "make test-d4rl        compare the dataset registry and reader with the d4rl package itself"
	@echo "make test-faults      every fault test: killed workers, drivers and nodes, full disks"
	@echo "make chaos            random kills over a whole small experiment, 20 rounds"
	@echo "make bench            measure speed; writes results/bench/"
	@echo "make clean            remove .venv"

demo: $(READY)
	$(BIN)/harness run experiments/quickstart.yaml

test: $(READY)
	$(BIN)/python -m pytest

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(READY)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV)

# Where Python 3.11 goes by another name: make PYTHON=python3 demo.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[dev]'
	touch $(READY)
