# Every target sets up what it needs first: Python 3.11 or newer and make are enough.

PYTHON ?= python3
BIN := .venv/bin
SCENARIO ?= default
COUNT ?= 1000
FRAMES ?= 100000

# Tests run on all cores, on four at most: each worker of them starts networks of processes. Tests of one group share
# a run that is expensive, and stay together.
SPREAD := -n logical --maxprocesses 4 --dist loadgroup

# pipenv itself lives in the project's own virtual environment, and is told to use it.
export PIPENV_VENV_IN_PROJECT := 1
export PIPENV_VERBOSITY := -1
export VIRTUAL_ENV := $(CURDIR)/.venv

.PHONY: help run test test-fast notebooks soak fuzz lint format bench ray explore lock clean

help: ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/'

run: .venv/.synced ## run a scenario: make run SCENARIO=honest
	$(BIN)/python main.py run $(SCENARIO)

test: .venv/.synced ## all tests
	$(BIN)/python -m pytest $(SPREAD)

test-fast: .venv/.synced ## tests that take no seconds each: no processes, no Keras, no pictures
	$(BIN)/python -m pytest $(SPREAD) -m "not processes and not keras and not many_runs and not drawing"

notebooks: .venv/.synced ## execute the notebooks, and look whether they still show what they show
	$(BIN)/python -m tests.notebooks

soak: .venv/.synced ## random scenarios in simulated time: make soak COUNT=10000
	$(BIN)/python main.py soak --count $(COUNT)

fuzz: .venv/.synced ## a node under fire from mutated frames: make fuzz FRAMES=1000000
	$(BIN)/python main.py fuzz --frames $(FRAMES)

lint: .venv/.synced ## formatting, lint, types and spelling
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/codespell

format: .venv/.synced ## put the code into shape
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: .venv/.synced ## print the figures the README quotes
	$(BIN)/python -m benchmarks

ray: .venv/.synced ## install Ray, for sweeps on a cluster
	$(BIN)/pipenv sync --categories ray

explore: .venv/.synced ## install Streamlit, for the explorer
	$(BIN)/pipenv sync --categories explore

lock: .venv/.pipenv ## resolve Pipfile again; the lock names no index
	$(BIN)/pipenv lock
	$(BIN)/python .ci/strip_sources.py Pipfile.lock

clean: ## remove the virtual environment and caches, keep runs
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/.synced: .venv/.pipenv Pipfile.lock
	$(BIN)/pipenv sync --dev
	@touch $@

.venv/.pipenv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Python 3.11 or newer is needed; name it: make PYTHON=python3.12" >&2; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check pipenv
	@touch $@
