# Everything here needs Python 3.11 or newer and make; the targets set up what they use.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.NOTPARALLEL:
.DEFAULT_GOAL := help

# One thread per process: results do not depend on the number of cores.
export OMP_NUM_THREADS := 1
export OPENBLAS_NUM_THREADS := 1
export MKL_NUM_THREADS := 1
export NUMBA_NUM_THREADS := 1
export VECLIB_MAXIMUM_THREADS := 1
export MPLBACKEND := Agg
export PIP_DISABLE_PIP_VERSION_CHECK := 1

VENV := .venv
BIN := $(VENV)/bin
PEERS := .venv-peers
PYTHONS := python3.14 python3.13 python3.12 python3.11 python3 python
PROOF := docs/proof
DEMO := demo

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# ---- set-up -------------------------------------------------------------------------------

# PYTHON=... on the command line overrides the search.
define find_python
python="$(PYTHON)"; \
if [ -z "$$python" ]; then for name in $(PYTHONS); do \
  if "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
    python="$$name"; break; fi; done; fi; \
if [ -z "$$python" ] \
  || ! "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
  echo "flowquake needs Python 3.11 or newer, and none of these is: $${python:-$(PYTHONS)}." >&2; \
  echo "  Fix: install Python 3.11 or newer, or name it: make PYTHON=/path/to/python3" >&2; \
  exit 1; fi
endef

$(BIN)/python:
	@$(find_python); \
	echo "making $(VENV) with $$("$$python" --version)"; \
	if "$$python" -c 'import ensurepip' 2>/dev/null; then "$$python" -m venv $(VENV); \
	elif "$$python" -m pip --version >/dev/null 2>&1; then \
	  "$$python" -m venv --without-pip $(VENV); \
	  "$$python" -m pip --python $(VENV) install --quiet pip; \
	else \
	  echo "this Python has neither ensurepip nor pip." >&2; \
	  echo "  Fix: install the venv package that goes with it (on Debian: python3-venv)" >&2; \
	  exit 1; fi

INSTALL = $(BIN)/python -m pip install --quiet --constraint constraints.txt --editable

$(VENV)/.core: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing flowquake"
	@$(INSTALL) .
	@touch $@

$(VENV)/.dev: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing flowquake with its test tools"
	@$(INSTALL) ".[dev,numba,mpi]"
	@touch $@ $(VENV)/.core

$(VENV)/.docs: pyproject.toml constraints.txt | $(BIN)/python
	@echo "installing flowquake with its documentation tools"
	@$(INSTALL) ".[docs]"
	@touch $@ $(VENV)/.core

# ---- the main job -------------------------------------------------------------------------

.PHONY: demo
demo: $(VENV)/.core ## simulate a sequence, forecast its failure, draw the figures
	@$(BIN)/flowquake demo --out $(DEMO)
	@echo "The figures are in $(DEMO)/figures/; the command flowquake is $(BIN)/flowquake."

.PHONY: test
test: $(VENV)/.dev ## run the test suite
	@$(BIN)/python -m pytest

# ---- checks -------------------------------------------------------------------------------

.PHONY: lint
lint: $(VENV)/.dev ## ruff: rules and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

.PHONY: types
types: $(VENV)/.dev ## mypy, strict
	@$(BIN)/mypy

.PHONY: imports
imports: $(VENV)/.dev ## which folder may import which
	@$(BIN)/lint-imports

.PHONY: docs
docs: $(VENV)/.docs ## build the documentation, warnings are errors
	@$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo "The documentation is in docs/_build/html/index.html"

# ---- slow proofs; their figures go to docs/proof/ -------------------------------------------

.PHONY: bench
bench: $(VENV)/.dev ## measure the speeds that the documentation claims
	@$(BIN)/python -m benchmarks --out $(PROOF)/bench

.PHONY: bench-smoke
bench-smoke: $(VENV)/.dev ## run each benchmark once, at its smallest size
	@$(BIN)/python -m benchmarks --smallest

$(PEERS)/.ready: benchmarks/peers/requirements.txt | $(BIN)/python
	@echo "making $(PEERS) with what is measured beside flowquake"
	@$(BIN)/python -m venv --without-pip $(PEERS)
	@$(BIN)/python -m pip --python $(PEERS) install --quiet --requirement $<
	@touch $@

.PHONY: peers
peers: $(VENV)/.dev $(PEERS)/.ready ## measure flowquake beside another engine, in turn
	@$(BIN)/python -m benchmarks.peers --peer-python $(PEERS)/bin/python --out $(PROOF)/peers

.PHONY: scaling
scaling: $(VENV)/.dev ## hold the cost model of plans against measurements
	@$(BIN)/python -m benchmarks.scaling --mapping multi --out $(PROOF)/scaling

.PHONY: calibrate
calibrate: $(VENV)/.dev ## simulate what the intervals and statuses promise
	@$(BIN)/python -m benchmarks.calibrate --out $(PROOF)/calibrate

.PHONY: faults
faults: $(VENV)/.dev ## run a graph under many orders of deliveries and with failing handlers
	@$(BIN)/python -m benchmarks.faults --out $(PROOF)/faults

.PHONY: soak
soak: $(VENV)/.dev ## run for five minutes and watch the memory; 5 000 random graphs, and 700 on processes and MPI
	@$(BIN)/python -m benchmarks.soak --out $(PROOF)/soak
	@FLOWQUAKE_GRAPHS=5000 FLOWQUAKE_MULTI_GRAPHS=500 FLOWQUAKE_MPI_GRAPHS=200 \
	  $(BIN)/python -m pytest -q tests/mappings/test_random_graphs.py

.PHONY: proof
proof: bench peers calibrate faults soak scaling ## all slow proofs

.PHONY: clean
clean: ## remove what the targets made
	@rm -rf $(VENV) $(PEERS) $(DEMO) docs/_build docs/reference/_generated dist build
	@rm -rf .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
