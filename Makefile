# The two commands of the README are `make demo` and `make test`; each does its whole set-up first.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DELETE_ON_ERROR:
.PHONY: demo test check bench pictures texts setup lock clean help

PYTHON ?= python3
BIN := .venv/bin
PEOPLE ?= 300
WORKERS ?= auto

help: ## say what there is to do
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

demo: .venv/.python .venv/.node ## a Jira site, the add-on and a first run; ONCE=1 stops after the summary, PEOPLE=50000 sizes the site
	@$(BIN)/python -m sandbox.demo --people $(PEOPLE) $(if $(ONCE),--once)

test: setup ## every test, browser tests included
	$(BIN)/pytest -n $(WORKERS) --dist worksteal

check: setup ## lint, format, types, import contracts; the dependency audit where its database can be reached
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@bash .ci/audit

bench: setup ## the benchmarks, as a table and benchmarks/results.json; PEOPLE and MANY size the sites
	$(BIN)/python -m benchmarks --people $(BENCH_PEOPLE) --many $(MANY)

BENCH_PEOPLE := $(if $(filter command line,$(origin PEOPLE)),$(PEOPLE),100000)
MANY ?= 1000000

pictures: setup ## the pictures of the documents, taken anew into docs/pictures
	$(BIN)/python -m sandbox.pictures

texts: .venv/.python ## every text of the pages into the catalogue for translators, addon/web/locale/messages.pot
	$(BIN)/python -m tests.support.catalogue

setup: .venv/.python .venv/.node .venv/.browser ## virtual environment, npm packages, browser

.venv/bin/python:
	$(PYTHON) -m venv .venv

.venv/.python: requirements-dev.lock pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install -qq --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install -qq --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Node comes with the Python packages, so that every machine has the same.
.venv/.node: package-lock.json .venv/.python
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent
	@touch $@

.venv/.browser: | .venv/bin/python
	@bash .ci/browser
	@touch $@

lock: .venv/.python ## newest versions that pyproject.toml and package.json allow, into the lock files
	$(BIN)/pip-compile --quiet --upgrade $(LOCK_OPTIONS) --output-file requirements.lock pyproject.toml
	$(BIN)/pip-compile --quiet --upgrade $(LOCK_OPTIONS) --extra dev --output-file requirements-dev.lock pyproject.toml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm install --package-lock-only

LOCK_OPTIONS := --generate-hashes --allow-unsafe --strip-extras \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

clean: ## remove what setup, demo and tests made
	rm -rf .venv .data node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache *.egg-info
