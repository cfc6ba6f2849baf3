# The front door. Everything sets itself up in a virtual environment of its own.
PYTHON ?= python3
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)
VENV := .venv-$(VERSION)
PY := $(VENV)/bin/python
CLI_VENV := .venv-cli-$(VERSION)
READY := $(VENV)/ready
TESTS := -n auto --dist worksteal

.PHONY: help run test test-all test-oldest check tests package windows mutants soak bench schema screenshots simulator clean
.DEFAULT_GOAL := help

help: ## what there is
	@grep -E '^[a-z]+:.*## ' Makefile | sed -E 's/:.*## /\t/' | expand -t 12

# The command line's Python: that of the tests if it is there, else one with fewer libraries.
CLI_READY = $(if $(wildcard $(READY)),$(READY),$(CLI_VENV)/ready)
CLI = PYTHONPATH=function $(dir $(CLI_READY))bin/python -m ges_upgrader_cli

run: $(CLI_READY) $(if $(EVENT),dist/function.zip) ## five days of a fleet on a simulated cloud; EVENT=events/….json: one event of the packaged function
	@$(CLI) $(if $(EVENT),invoke $(EVENT),try)
	@echo; echo "Here, ges-upgrader is $(dir $(CLI_READY))bin/ges-upgrader"

test: ## lint, types and all tests, on the newest Python of 3.10 to 3.13 that is here, or on PYTHON=
	@$(MAKE) --no-print-directory check PYTHON=$(if $(filter command,$(firstword $(origin PYTHON))),$(PYTHON),$$($(PYTHON) -m deploy.pythons newest))

test-all: test ## the same, and the tests on every other of these Pythons
	@for python in $$($(PYTHON) -m deploy.pythons); do \
	  echo "The tests on $$python"; $(MAKE) --no-print-directory tests PYTHON=$$python || exit 1; done

test-oldest: ## the journeys and the package on the oldest of these Pythons
	@$(MAKE) --no-print-directory tests PYTHON=$$($(PYTHON) -m deploy.pythons oldest) TESTS="tests/journeys tests/package $(TESTS)"

check: $(READY) dist/function.zip
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check --quiet .
	@$(PY) -m mypy
	@$(PY) -m pytest $(TESTS)

tests: $(READY) dist/function.zip
	@$(PY) -m pytest $(TESTS)

package: $(READY) ## dist/function.zip
	@$(PY) -m deploy.package

dist/function.zip: requirements.txt $(wildcard ges_upgrader_cli/packaged/*.py) $(shell find function -type f -not -path '*/__pycache__/*')
	@$$(ls $(PY) $(CLI_VENV)/bin/python 2>/dev/null | head -1) -m deploy.package

windows: $(READY) ## windows against an oracle, around every change of the clocks in every zone to 2038: some minutes
	@PYTHONPATH=function $(PY) -m tests.oracles.windows

mutants: $(READY) ## what the tests of the planner, the windows and the choice of versions would not see: some minutes
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-mutants.txt
	@$(PY) -m tests.mutants

soak: $(READY) ## fleet-months with crashes, overlaps and lost answers; SEEDS=10000, FIRST=123, TRACE=1
	@PYTHONHASHSEED=0 PYTHONPATH=function SEEDS=$(or $(SEEDS),200) FIRST=$(or $(FIRST),1) TRACE=$(TRACE) DEFECTS=$(DEFECTS) \
	  $(PY) -m tests.simulation.soak

bench: $(READY) dist/function.zip ## cold start of the unpacked zip beside others, and what planning and a forecast cost
	@$(PY) -m benchmarks.cold_start
	@$(PY) -m benchmarks.planning

schema: $(READY) ## policy.schema.json, for editors, and the tables of docs/policy.md
	@$(PY) -m deploy.schema
	@PYTHONPATH=function $(PY) -m deploy.generated

screenshots: $(CLI_READY) ## docs/try.svg, what `make run` shows
	@$(dir $(CLI_READY))bin/python -m deploy.screenshots

simulator: $(CLI_READY) ## the simulated cloud as a server
	@$(CLI) simulator

$(CLI_VENV)/ready: requirements.txt requirements-cli.txt
$(READY): requirements.txt requirements-cli.txt requirements-dev.txt
$(CLI_VENV)/ready $(READY):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 10))' || \
	  { echo "Python 3.10 or later is needed: make $(MAKECMDGOALS) PYTHON=python3.12"; exit 1; }
	@echo "Setting up $(@D) ..."
	@$(PYTHON) -m venv $(@D) || { echo "Python's venv module is needed (Debian: python3-venv)"; exit 1; }
	@$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $(lastword $^)
	@printf '#!/bin/sh\nPYTHONPATH="%s/function:%s" exec "$$(dirname "$$0")/python" -m ges_upgrader_cli "$$@"\n' "$(CURDIR)" "$(CURDIR)" \
	  > $(@D)/bin/ges-upgrader
	@chmod +x $(@D)/bin/ges-upgrader
	@touch $@

clean: ## removes everything that was made
	@rm -rf .venv-* build dist .try .hypothesis .mypy_cache .pytest_cache .ruff_cache
