# The two commands a newcomer needs are `make demo` and `make test`; both install what is missing.

PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.installed
TORCH  := $(shell sed -n "s/^\(torch==.*\)/\1/p" constraints.txt)

.PHONY: help demo test test-fast lint format bench clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

demo: $(STAMP)  ## real completions and a chat answer on a small project
	@$(BIN)/truepenny pull
	@$(BIN)/python -I tests/demo.py

test: $(STAMP) lint  ## everything: lint, types, unit, real weights, real editor
	@$(BIN)/truepenny pull
	@if command -v npm >/dev/null 2>&1; then $(BIN)/truepenny checkers add typescript; \
	else echo "no npm: tests that need the TypeScript checker are skipped" >&2; fi
	@$(BIN)/python -Im pytest

test-fast: $(STAMP)  ## without weights and editors
	@$(BIN)/python -Im pytest -m "not weights and not editor and not network"

lint: $(STAMP)  ## ruff and pyright strict
	@mkdir -p .typecheck && ln -sfn .. .typecheck/truepenny
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/pyright --pythonpath $(BIN)/python

format: $(STAMP)  ## let ruff write
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP)  ## our engine against stock transformers, in one run
	@$(BIN)/truepenny pull
	@$(BIN)/truepenny bench engine --json

# torch's plain build carries gigabytes of CUDA: where there is no NVIDIA driver the CPU build of the
# pinned version is asked for first.  Installed again whenever what is wanted changes.
$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@command -v nvidia-smi >/dev/null 2>&1 \
		|| $(BIN)/python -m pip install --quiet "$(TORCH)+cpu" 2>/dev/null \
		|| echo "no CPU build of $(TORCH) in your package sources; taking the plain one" >&2
	@$(BIN)/python -m pip install --quiet -c constraints.txt -e ".[local]" --group dev
	@touch $@

clean:  ## remove what make made here (the weights in the user's cache stay)
	rm -rf $(VENV) .typecheck .pytest_cache .ruff_cache .hypothesis build *.egg-info
