# Every target is one line of 'make help'. The targets set up what they need.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:

# The Node.js that setup chose comes first.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# Files of tests run side by side, one process for each processor; tests of a file share a guest, a browser or an engine.
WORKERS ?= auto
PYTEST := .venv/bin/pytest --durations=15 --numprocesses=$(WORKERS) --maxprocesses=4 --dist=loadfile --no-loadscope-reorder
SYSTEM := integration or boot or browser
# The second lane has tests of its own: they need engines that are built for them.
FIRST := not engines

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-14s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: ## boot the Debian machine 'demo' and show it in the browser (another one: make run BOOT=./disk.qcow2)
	@scripts/setup run
ifdef BOOT
	@exec .venv/bin/qd run "$(BOOT)"
else
	@if .venv/bin/qd inspect demo >/dev/null 2>&1; then exec .venv/bin/qd start --attach demo; else exec .venv/bin/qd run debian --name demo; fi
endif

.PHONY: setup
setup: ## install everything that developing and testing needs
	@scripts/setup test

.PHONY: test
test: ## run all checks and tests; the second lane is test-engines
	@scripts/timed setup scripts/setup test
	@scripts/timed lint $(MAKE) --no-print-directory lint-only
	@scripts/timed test-unit $(MAKE) --no-print-directory test-unit
	@scripts/timed test-system $(MAKE) --no-print-directory test-system

.PHONY: test-unit
test-unit: ## run the quick tests: unit, golden, property; and those of the front end
	npm --prefix frontend test
	$(PYTEST) -m "not ($(SYSTEM)) and $(FIRST)"

.PHONY: test-system
test-system: ## run the tests with real tools, guests and browsers (a few minutes)
	$(PYTEST) -m "($(SYSTEM)) and $(FIRST)"

.PHONY: test-engines
test-engines: ## build the newest container engines from Go modules, once, and run the tests that need them
	@scripts/timed setup-engines scripts/setup engines
	@scripts/timed test-engines $(PYTEST) -m engines

.PHONY: lint
lint: setup lint-only ## check format, style, types, layers, scripts and the front end

.PHONY: lint-only
lint-only:
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	shellcheck --external-sources scripts/setup scripts/timed scripts/lib/*.sh .ci/run images/binfmt/assemble images/machine/part
	npm --prefix frontend run lint

.PHONY: format
format: setup ## format the sources
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix-only --quiet .
	npm --prefix frontend run format

.PHONY: bench
bench: setup ## measure against named baselines of the same run
	.venv/bin/python -m bench

.PHONY: image
image: ## build the image quarterdeck/machine with docker, podman or buildah, whichever is there
	@scripts/setup run
	@.venv/bin/python -m scripts.build_image machine

.PHONY: image-full
image-full: ## build quarterdeck/machine-full, which emulates every architecture that Debian has an emulator of
	@scripts/setup run
	@.venv/bin/python -m scripts.build_image machine --emulators all --tag quarterdeck/machine-full:latest

.PHONY: image-binfmt
image-binfmt: ## build the image quarterdeck/binfmt with docker, podman or buildah, whichever is there
	@scripts/setup run
	@.venv/bin/python -m scripts.build_image binfmt

.PHONY: docs
docs: ## build the documentation into build/docs
	@scripts/setup docs
	.venv/bin/sphinx-build --fail-on-warning --keep-going -b html docs build/docs
	@echo "build/docs/index.html"

.PHONY: clean
clean: ## remove all that setup and the tests made in this checkout; machines and caches elsewhere stay
	rm -rf .venv build dist frontend/node_modules src/quarterdeck/console/static
	rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find src tests bench docs -name __pycache__ -type d -prune -exec rm -rf {} +
