# What a person does here. `make` alone prints this list.
.DEFAULT_GOAL := help
.PHONY: help run test lint bench teeth soak lock clean

VENV ?= .venv
JOBS ?= 2
MINUTES ?= 5
# The first interpreter that is new enough. Override with PYTHON=/path/to/python.
PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && { echo $$p; break; }; done)

BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Wheels only: building a source distribution would run code that no hash covers.
LOCKED := install --require-hashes --only-binary=:all: -r
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
	--no-header --no-annotate --upgrade pyproject.toml --group build

help: ## print this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1|\2/p' $(MAKEFILE_LIST) | column -t -s '|'

run: $(VENV)/run.stamp ## install what is needed and start the gateway on gateway.yaml (ARGS="--config other.yaml")
	@exec $(BIN)/sluicegate serve $(ARGS)

test: lint ## check style and types, then run every test (ARGS="-k streams")
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup $(ARGS)

lint: $(VENV)/dev.stamp ## check style and types only
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/dev.stamp ## measure the gateway against the bare relay (ARGS="--quick", "--help" for more)
	$(BIN)/python -m tests.bench $(ARGS)

teeth: $(VENV)/dev.stamp ## take guarantees away one by one, in a copy: their tests must notice (ARGS="STR")
	$(BIN)/python -m tests.teeth $(ARGS)

soak: $(VENV)/dev.stamp ## tests at their full number of rounds, then mixed load with faults for MINUTES
	SOAK=1 $(BIN)/python -m pytest -m soak -n $(JOBS)
	$(BIN)/python -m tests.bench.soak --minutes $(MINUTES) $(ARGS)

lock: $(VENV)/dev.stamp ## resolve the dependencies anew and write both locks
	$(PIP) install uv
	$(COMPILE) --output-file .ci/requirements.lock
	$(COMPILE) --group test --constraint .ci/requirements.lock --output-file .ci/requirements-dev.lock

clean: ## remove the environment and what tools left behind
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed; found none. Say which: make PYTHON=/path/to/python"; exit 1; }
	@echo "creating $(VENV) with $$($(PYTHON) --version)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/run.stamp: .ci/requirements.lock pyproject.toml | $(BIN)/python
	@echo "installing what is needed to run"
	@$(PIP) $(LOCKED) .ci/requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

# The development lock holds the run-time lock too, at the same versions.
$(VENV)/dev.stamp: .ci/requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "installing what is needed to test"
	@$(PIP) $(LOCKED) .ci/requirements-dev.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@ $(VENV)/run.stamp
