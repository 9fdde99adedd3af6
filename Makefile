# veinscan: everything from a fresh clone.
#   make run    set up, then the whole way on the sample study (and the window, with a display)
#   make test   set up, then the whole suite, GUI tests under Xvfb included
#   make check  lint, types and the import contract
#   make setup  the environment in .venv alone
#   make bench  speed, as ratios to a named peer in the same run
#   make docs-pictures, docs-samples  the pictures and sample pages of the docs, made anew
#   make help   this list

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.ready
RUN_DIR := build/run
XVFB := xvfb-run -a -s "-screen 0 1280x1024x24"
PYTEST_ARGS ?=

.PHONY: help setup system run test test-lowest check lint types contract format bench docs-pictures docs-samples sample-data clean

help:
	@sed -n '2,8s/^# *//p' Makefile

setup: $(STAMP)

# The stamp is newer than pyproject.toml once the environment holds what it asks for.
$(STAMP): pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "veinscan needs Python 3.11 or newer; this is " + sys.version.split()[0] + ": call make PYTHON=python3.12, for example")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[gui,research,pacs,test,dev]'
	@touch $(STAMP)

# Libraries that Qt needs, a virtual screen, and the programs that check what we write.
system:
	@sh tools/system-packages.sh
	@sh tools/node-packages.sh

run: setup
	$(BIN)/python tools/run_sample.py $(RUN_DIR)

# Two processes; the tests of the window stay in one of them, one after the other.
test: setup system
	$(XVFB) $(BIN)/python -m pytest -n 2 --dist loadgroup $(PYTEST_ARGS)

# The same library suite on the oldest releases that pyproject.toml allows.
test-lowest: system
	sh tools/test-lowest.sh

check: lint types contract

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: setup
	$(BIN)/mypy

contract: setup
	$(BIN)/lint-imports

format: setup
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup
	$(BIN)/python benchmarks/reading.py
	$(BIN)/python benchmarks/find_phantoms.py
	$(BIN)/python benchmarks/vesselness.py
	$(BIN)/python benchmarks/search.py

# README's picture of the window, made from the sample study.
docs-pictures: setup system
	$(XVFB) $(BIN)/python tests/gui/pictures.py docs/images
	$(XVFB) $(BIN)/python tests/gui/follow_up_pictures.py docs/images
	$(XVFB) $(BIN)/python tests/gui/pacs_pictures.py docs/images
	$(BIN)/python tests/dicom/pictures.py docs/images

# The sample reports in docs/samples, from the studies in sample_data/; the same bytes each time.
docs-samples: setup system
	$(BIN)/python tools/sample_report.py docs/samples
	pdftoppm -r 80 -l 1 -png -singlefile docs/samples/plan.pdf docs/images/report-plan

# The two studies in sample_data/, made anew.
sample-data: setup
	rm -rf sample_data/baseline sample_data/follow_up
	$(BIN)/veinscan sample sample_data/baseline --follow-up sample_data/follow_up --seed 9

clean:
	rm -rf build dist .venv .venv-lowest .mypy_cache .pytest_cache .ruff_cache .hypothesis
