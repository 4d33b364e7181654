# Everything a developer types; `make` alone lists it. Needs Python 3.11 or newer and nothing else.

PYTHON ?= python3
WORKERS ?= 2
PYTEST_ARGS ?=
BENCH_ARGS ?=

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
ASSETS := api/dashboard/assets/pico.min.css
PIP := $(BIN)/python -m pip --disable-pip-version-check
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-annotate --no-header $(if $(UPGRADE),--upgrade)

# Every start would compile the project anew
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help
.PHONY: help setup demo serve test check bench screenshots format faults lock clean services browser

help:  ## List what there is to make
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/\1	\2/p' $(MAKEFILE_LIST) | awk -F '\t' '{printf "  make %-11s %s\n", $$1, $$2}'

setup: $(STAMP) $(ASSETS)  ## Make .venv with everything in it; does nothing when nothing changed

demo: setup  ## Ingest this project's documentation and ask it three questions
	@$(BIN)/lattice demo

serve: setup  ## Serve the REST API on http://127.0.0.1:8000
	@$(BIN)/lattice serve --migrate

test: setup services browser  ## Run every test; PYTEST_ARGS="-k recall" picks some, WORKERS=0 runs them in one process
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(PYTEST_ARGS)

# Tests of the shared cache need a Valkey or Redis server, and start it themselves; RUNLEVEL=1 keeps the package from it
services:
	@command -v valkey-server >/dev/null || command -v redis-server >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 && \
		timeout 120 apt-get update -qq && { timeout 120 apt-get install -qq -y --no-install-recommends valkey-server || \
		timeout 120 apt-get install -qq -y --no-install-recommends redis-server; }; } >/dev/null 2>&1 || \
		echo "no valkey-server or redis-server is here or can be installed: the tests that need one are skipped" >&2

# Tests of the dashboard drive a browser: Debian's Chromium where it may be installed, else the one that Playwright brings
browser: $(STAMP)
	@command -v chromium >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && export DEBIAN_FRONTEND=noninteractive && \
		timeout 120 apt-get update -qq && timeout 300 apt-get install -qq -y --no-install-recommends chromium; } >/dev/null 2>&1 || \
		timeout 300 $(BIN)/python -m playwright install chromium-headless-shell >/dev/null 2>&1 || \
		echo "no chromium is here or can be installed: the tests of the dashboard are skipped" >&2

check: setup  ## Run every gate, the cheap ones first: format, lint, size, imports, docs, types
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/python -m scripts.check_size
	$(BIN)/lint-imports
	$(BIN)/python -m scripts.check_docs
	$(BIN)/mypy

bench: setup  ## Measure embedding, ingestion, recall, REST and the router; BENCH_ARGS=--json for one object
	@$(BIN)/python -m benchmarks $(BENCH_ARGS)

faults: setup  ## Print what the router does with every wire fault
	@$(BIN)/python -m tests.wire.fault_table

screenshots: setup browser  ## Draw the pictures of the dashboard in docs/images anew
	LATTICE_SCREENSHOTS=1 $(BIN)/python -m pytest -n 0 tests/browser

format: setup  ## Format the code and mend what the linter can mend
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: setup  ## Lock the requirements with hashes after pyproject.toml changed; UPGRADE=1 takes newer versions
	$(LOCK) pyproject.toml --output-file requirements.txt
	$(LOCK) pyproject.toml --group dev --constraint requirements.txt --output-file requirements-dev.txt
	$(LOCK) --no-deps --group node --output-file requirements-node.txt

clean:  ## Remove .venv, caches and built files; stored memories stay
	rm -rf $(VENV) dist node_modules api/dashboard/assets .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(STAMP): requirements-dev.txt pyproject.toml | $(BIN)/python
	@echo "Installing the locked requirements into $(VENV); the first time takes a minute or two"
	@$(PIP) install --quiet --require-hashes --requirement requirements-dev.txt
	@$(PIP) install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(ASSETS): package-lock.json scripts/fetch_assets.py requirements-node.txt | $(STAMP)
	@$(BIN)/python -m scripts.fetch_assets || true

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { \
		echo "$(PYTHON) was not found: install Python 3.11 or newer, or name it: make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "Python 3.11 or newer is needed, $(PYTHON) is older: name another, make setup PYTHON=python3.12" >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { \
		echo "$(PYTHON) has no venv module: install it (Debian, Ubuntu: apt-get install python3-venv)" >&2; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
