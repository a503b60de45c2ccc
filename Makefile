# Everything here runs in .venv, which is made from requirements/constraints.txt: Python 3.11 or
# later (with venv) and make are all that a machine needs. `make help` lists the targets.

VENV ?= .venv
# The Python that makes .venv: the first of these that is 3.11 or later and has venv.
PYTHON ?= $(shell for name in python3 python3.13 python3.12 python3.11 python; do \
	$$name -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& echo $$name && break; done)
# Trial's worker processes, and what it runs (`make trial TESTS=tests.rules`): every kind of test, or
# one of unit, integration, browser (`make trial KIND=unit`).
JOBS ?= 2
TESTS ?= tests
KIND ?=
# How many failed tests with real processes may be run once more, alone (tools/run_tests.py).
AGAIN ?= 0
# What `make demo`, `deb`, `chaos`, `bench` and `fuzz` hand on: `make demo ARGS="--numbers 1000"`.
ARGS ?=
# What `make bench` runs; benchmarks/README.rst has the others, which want a FreeSWITCH or hours.
BENCHMARKS ?= esl_events esl_commands esl_call whole_dialer

BIN := $(VENV)/bin
CONSTRAINTS := requirements/constraints.txt
# Wheels only: no C compiler is needed, and none is asked for.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check --no-input install -qq \
	--only-binary=:all: --constraint $(CONSTRAINTS)
# The default editable install loses the Twisted plugin; the pinned setuptools builds it, as build
# isolation would fetch whichever is newest.
INSTALL_PROJECT := $(INSTALL) --no-build-isolation --config-settings editable_mode=compat

.NOTPARALLEL:
.PHONY: help demo chaos bench fuzz test lint types docs wheel check-wheel deb check-deb trial format constraints clean distclean

help:  ## say what can be made
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 14

demo: $(VENV)/.demo  ## dial a whole campaign on this machine (ARGS="--numbers 1000")
	$(BIN)/ctidialer demo $(ARGS)

chaos: $(VENV)/.develop  ## dial 20,000 numbers while everything is killed, then audit (ARGS="--seed 2")
	$(BIN)/python -m chaos $(ARGS)

bench: $(VENV)/.bench  ## run the main benchmarks, one JSON line each (ARGS="esl_call" for one)
	@for name in $(or $(ARGS),$(BENCHMARKS)); do \
	CTIDIALER_BENCH_RIVALS=$(VENV)/rivals $(BIN)/python -m benchmarks.$$name || exit 1; done

fuzz: $(VENV)/.fuzz  ## a million inputs for each reader of others' bytes (ARGS="--seed 2 numbers")
	nice -n 10 $(BIN)/python -m fuzz $(ARGS)

test: lint types docs check-wheel check-deb trial  ## run every check; the last line counts the tests

lint: $(VENV)/.develop  ## check style and layout with ruff
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: $(VENV)/.develop  ## check types with mypy
	$(BIN)/mypy

docs: $(VENV)/.develop  ## build docs/_build/html; a warning is an error
	$(BIN)/python -m sphinx -W --keep-going -q -b html docs docs/_build/html

wheel: $(VENV)/.develop  ## build the sdist, and the wheel from it, into dist/
	$(BIN)/python -m build --no-isolation --outdir dist

check-wheel: $(VENV)/.develop  ## build both, install the wheel in an empty venv, try it there
	$(BIN)/python tools/check_wheel.py

deb: $(VENV)/.develop  ## build a Debian package into dist/ (on Debian, with dpkg-dev)
	$(BIN)/python -m tools.build_deb $(ARGS)

check-deb: $(VENV)/.develop  ## build it, try it in a clean Debian (as root, with mmdebstrap)
	$(BIN)/python -m tools.check_deb

trial: $(VENV)/.develop  ## run the tests (TESTS=tests.rules, KIND=unit, JOBS=2)
	$(BIN)/python tools/run_tests.py --jobs $(JOBS) --again $(AGAIN) $(if $(KIND),--kind $(KIND)) $(TESTS)

format: $(VENV)/.develop  ## put the code into ruff's layout
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

constraints: python-is-here  ## resolve all dependencies afresh into requirements/constraints.txt
	$(PYTHON) tools/pin_dependencies.py

clean:  ## remove what was built
	rm -rf build dist docs/_build *.egg-info _trial_temp* .hypothesis .mypy_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache

distclean: clean  ## remove the virtual environment too
	rm -rf $(VENV)

# The stamps: made again when the pins or the project's metadata change.
$(VENV)/.base: $(CONSTRAINTS) | python-is-here
	@echo "Making $(VENV) with $(PYTHON)"
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) pip setuptools
	@touch $@

$(VENV)/.demo: $(VENV)/.base setup.cfg pyproject.toml
	$(INSTALL_PROJECT) --editable '.[demo]'
	@touch $@

$(VENV)/.develop: $(VENV)/.base setup.cfg pyproject.toml
	$(INSTALL_PROJECT) --editable '.[demo,test,lint,docs,build]'
	@touch $@ $(VENV)/.demo

# The libraries that are compared with ours, beside the environment and not in it: genesis wants
# older versions of what is pinned there. greenswitch has no wheel, but no C code either.
$(VENV)/.bench: $(VENV)/.develop requirements/bench.txt
	$(BIN)/python -m pip --disable-pip-version-check --no-input install -qq --upgrade --no-deps \
		--only-binary=:all: --no-binary=greenswitch --no-build-isolation \
		--target $(VENV)/rivals --requirement requirements/bench.txt
	@touch $@

# atheris, where there is a wheel of it: `make test` does without.
$(VENV)/.fuzz: $(VENV)/.develop
	$(INSTALL_PROJECT) --editable '.[fuzz]'
	@touch $@

.PHONY: python-is-here
python-is-here:
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or later with venv was found." \
		"Install it (on Debian: python3 and python3-venv), or name it: make PYTHON=/path/to/python" \
		>&2; exit 1; }
