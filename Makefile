PYTHON  ?= python3
WORKERS ?= 2
BIN     := .venv/bin
PIP     := $(BIN)/python -m pip install -qq --disable-pip-version-check -c constraints.txt

.DELETE_ON_ERROR:
.NOTPARALLEL:
.PHONY: help demo test check format bench faults soak live rows docs messages screens compile clean
.DEFAULT_GOAL := help

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "%-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

demo: .venv/.run compile ## a whole week in a throw-away workspace, up to the weekly report
	@$(BIN)/cm demo

test: .venv/.dev compile ## all tests (WORKERS=0: in one process; ARGS='-k name': some of them)
	@$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

check: .venv/.dev ## style, format, types, import rules
	@$(BIN)/ruff check --quiet .
	@$(BIN)/ruff format --check --quiet . || { echo "not formatted: run 'make format'" >&2; exit 1; }
	@$(BIN)/mypy --no-error-summary
	@report=$$($(BIN)/lint-imports --no-logo 2>&1) || { echo "$$report" >&2; exit 1; }
	@echo "style, format, types and import rules: in order"

format: .venv/.dev ## rewrite the code in the project's format
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: .venv/.dev compile ## measure against the budgets
	@$(BIN)/python benchmarks/run.py
	@$(BIN)/python benchmarks/bulk.py
	@$(BIN)/python benchmarks/find.py
	@$(BIN)/python -m benchmarks.publishing

faults: .venv/.dev compile ## 10,000 publishes on a platform that fails in every way, beside three simple strategies (ARGS='--posts 600')
	@$(BIN)/python -m benchmarks.faults --posts 10000 --seed 1 $(ARGS)

soak: .venv/.dev compile ## the state machine of the engine for long (STEPS=100000)
	@MACHINE_STEPS=$(or $(STEPS),100000) $(BIN)/python -m pytest -q -n $(WORKERS) tests/test_publish_machine.py

live: .venv/.dev ## Bluesky against a real server on this machine (needs Node 22 or later and npm)
	@npm install --silent --prefix tests/live
	@CM_LIVE=1 $(BIN)/python -m pytest -q tests/live $(ARGS)

rows: .venv/.dev ## mission rows with and without a test
	@$(BIN)/python -m pytest -qq --rows

docs: .venv/.dev ## write docs/cli.md and docs/cm.1 from the commands
	@$(BIN)/python docs/reference.py

screens: .venv/.dev compile ## draw the windows of tests/screens and docs/tour.md anew; then look at what changed
	@SCREENS=draw $(BIN)/python -m pytest -q -n $(WORKERS) tests/test_screens.py tests/test_tour.py

messages: .venv/.dev ## bring the French catalogue up to date with the code (then translate what is empty, and again)
	@mkdir -p build
	@$(BIN)/pybabel -q extract -k N_ -k plural:1,2 --no-location --sort-output -o build/cm.pot cm
	@$(BIN)/pybabel -q update -D cm -d cm/locale -i build/cm.pot --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date --width 120
	@$(BIN)/pybabel compile -D cm -d cm/locale --statistics

clean: ## remove the environment, caches and builds
	@rm -rf .venv build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	@find cm tests benchmarks -name __pycache__ -type d -prune -exec rm -rf {} + 2>/dev/null || true

# Without bytecode every start is two to three times slower.
compile:
	@env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m compileall -q cm

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "cm needs Python 3.11 or newer, and $(PYTHON) is not: try 'make PYTHON=python3.11 $(MAKECMDGOALS)'" >&2; exit 1; }
	@$(PYTHON) -m venv --clear .venv

.venv/.run: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing cm into .venv" >&2
	@env -u PYTHONDONTWRITEBYTECODE $(PIP) -e .
	@touch $@

.venv/.dev: pyproject.toml constraints.txt | .venv/bin/python
	@echo "installing cm and its development tools into .venv" >&2
	@env -u PYTHONDONTWRITEBYTECODE $(PIP) -e '.[dev]'
	@touch .venv/.run $@
