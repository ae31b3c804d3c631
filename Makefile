# The verbs of this project. CI calls the same ones.
#   make setup   a virtual environment with locked, hashed dependencies
#   make demo    play a whole programme; PRESS="pages…" captures these pages too
#   make test    everything; installs what it needs
#   make bench   measure, beside the disk's and the interpreter's own limits (benchmarks/README.md)
#   make crash   kill -9 and lost writes, 500 rounds;  make fuzz   every parser, FUZZ_SECONDS each
#   make check   format, lint, types, import contracts, tidy, unit, vectors: under a minute

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PRESS ?=
# PyICU comes as source only; letters are laid out by Pango, with letters of every script.
LIBRARIES := g++ pkg-config libicu-dev libpango-1.0-0 libpangoft2-1.0-0 libharfbuzz-subset0 fonts-dejavu-core
# Without isolation, a source is built with the locked builder rather than with the newest. Each
# list is its own constraint too: pip would take the newest of what is asked for with extras.
INSTALL := $(BIN)/pip install -q --disable-pip-version-check --no-build-isolation --require-hashes
DIR ?= demo
CRASH_ROUNDS ?= 500
FUZZ_SECONDS ?= 60

.PHONY: setup demo test check fix journey crash fuzz client docs bench lock clean

setup: $(VENV)/.run-ready

$(VENV)/bin/pip:
	@bash scripts/venv $(PYTHON) $(VENV)
	@bash scripts/apt $(LIBRARIES)

$(VENV)/.run-ready: requirements/run.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing what a programme runs on (locked, hashed) …"
	@$(INSTALL) -r requirements/build.txt -c requirements/build.txt && $(INSTALL) -r requirements/run.txt -c requirements/run.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.test-ready: requirements/test.txt pyproject.toml | $(VENV)/bin/pip
	@echo "Installing what the tests need (locked, hashed) …"
	@$(INSTALL) -r requirements/build.txt -c requirements/build.txt && $(INSTALL) -r requirements/test.txt -c requirements/test.txt
	@$(BIN)/pip install -q --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@ $(VENV)/.run-ready

demo: setup
	@$(BIN)/safeconduct demo --dir $(DIR) $(if $(PRESS),--press $(PRESS))

test: $(VENV)/.test-ready
	@bash scripts/apt age openssl golang-go golang-golang-x-mod-dev chromium firefox-esr fonts-dejavu-core \
	    tor mat2 bubblewrap
	@$(MAKE) --no-print-directory lint
	$(BIN)/pytest -n 2

# Fast enough to run before each commit.
LATER := tests/plumbing/test_web_slow.py tests/plumbing/test_names.py tests/plumbing/test_tor.py \
    tests/protocol/statute/test_refinement.py tests/protocol/statute/test_statute_properties.py
check: $(VENV)/.test-ready lint
	@$(BIN)/pytest -q -n 2 tests/protocol tests/tidy tests/plumbing $(LATER:%=--ignore %)

.PHONY: lint
lint: $(VENV)/.test-ready
	@$(BIN)/ruff format --check -q src tests benchmarks
	@$(BIN)/ruff check -q src tests benchmarks
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache > $(VENV)/lint-imports.txt || (cat $(VENV)/lint-imports.txt; exit 1)

fix: $(VENV)/.test-ready
	$(BIN)/ruff check --fix -q src tests benchmarks
	$(BIN)/ruff format -q src tests benchmarks

journey: $(VENV)/.test-ready
	$(BIN)/pytest tests/journey

crash: $(VENV)/.test-ready
	SAFECONDUCT_CRASH_ROUNDS=$(CRASH_ROUNDS) $(BIN)/pytest --timeout 7200 tests/crash

fuzz: $(VENV)/.test-ready
	SAFECONDUCT_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/pytest --timeout 7200 tests/fuzz

bench: $(VENV)/.bench-ready
	@bash scripts/apt wrk age
	$(BIN)/python -m benchmarks

$(VENV)/.bench-ready: requirements/bench.txt $(VENV)/.test-ready
	@echo "Installing what the benchmarks need (locked, hashed) …"
	@$(INSTALL) -r requirements/bench.txt -c requirements/bench.txt
	@touch $@

# The picture in the README, drawn from a real run.
docs: setup
	$(BIN)/safeconduct demo --once --dir build/picture > /dev/null
	cp build/picture/journey.svg docs/journey.svg

# The source's client in one file, for the board to publish: dist/safeconduct-source.pyz.
client: $(VENV)/.test-ready
	@$(BIN)/python scripts/client

# Needs the `uv` tool. Nothing younger than a week gets in.
lock:
	bash scripts/lock

clean:
	rm -rf $(VENV) demo build dist
