# Everything a person or the CI runs. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: help dev demo test lint types bench gas docs contracts lock ci ci-full clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/ready

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

# The environment is made from hashed pins; hatchling is among them, so nothing else is fetched to build us.
$(READY): requirements/dev.txt pyproject.toml scripts/machine.sh
	@PYTHON=$(PYTHON) sh scripts/machine.sh
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $(READY)

dev: $(READY)  ## make .venv with everything, or say what this machine lacks

demo: $(READY)  ## show the whole mission on real files, in under two minutes
	$(BIN)/sayso demo

contracts/node_modules/.ready: contracts/package-lock.json
	@command -v npm >/dev/null || { echo "make: the tests need Node.js and npm (Debian: apt-get install nodejs npm)"; exit 1; }
	cd contracts && npm ci --silent --no-audit --no-fund
	@touch $@

contracts: $(READY) contracts/node_modules/.ready  ## check that the shipped bytecode is what the sources give; forge tests
	$(BIN)/python contracts/build.py --check --test

test: $(READY) contracts/node_modules/.ready  ## all tests but those that take minutes
	$(BIN)/pytest -m "not long"

lint: $(READY)  ## ruff, import rule, generated documents, shape of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m sayso.reference --check

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

bench: $(READY)  ## write bench.json: our figures beside a peer's, in one run
	PYTHONPATH=tests $(BIN)/python -m bench --out bench.json

gas: $(READY) contracts/node_modules/.ready  ## write gas.json: our gas beside EAS's, on one anvil
	$(BIN)/python contracts/gas.py

docs: $(READY)  ## write the generated parts of docs/reference
	$(BIN)/python -m sayso.reference

ci: lint types contracts test  ## what has to pass on every change

ci-full: lint types contracts $(READY)  ## everything, the long suites included
	$(BIN)/pytest
	$(MAKE) gas bench

lock: $(READY)  ## renew the hashed pins (no addresses in them)
	$(BIN)/pip-compile --quiet --all-extras --generate-hashes --allow-unsafe --strip-extras \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options --no-header \
	  --no-annotate --output-file requirements/dev.txt pyproject.toml requirements/dev.in

clean:  ## remove what was made
	rm -rf $(VENV) build dist contracts/out contracts/cache contracts/node_modules bench.json gas.json
