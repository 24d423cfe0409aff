# `make run` and `make test` set up all they need; `make setup` is what both do first.

SHELL := /bin/bash
# The system's own Python comes first: distributions build it with profile-guided optimisation, which makes the gateway
# a fifth faster than a plain build of the same version.
PYTHON ?= $(shell for python in /usr/bin/python3.11 python3.11 python3; do \
	$$python -c 'import ensurepip, venv' 2>/dev/null && command -v $$python && break; done)
BIN := .venv/bin
WEB := src/tokengate/web/static/manifest.json
WEB_SOURCES := $(shell find console/src console/public console/scripts -type f) \
	console/index.html console/vite.config.ts console/tsconfig.json
# Tests wait more than they compute; those of one file share what they start, so a file is one process's.
TEST_PROCESSES ?= $(shell expr $$(nproc) + 1)
IN_PROCESSES := --numprocesses $(TEST_PROCESSES) --dist loadfile
LOCK_OPTIONS := --quiet --generate-hashes --strip-extras --allow-unsafe \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

.PHONY: setup run test lint check-all toolchains samples compatibility browser screenshots bench soak lock wheel clean

setup: .venv/.packages .venv/.installed tests/node/node_modules/.installed $(WEB)
	@$(BIN)/tokengate models pull smollm2 joe whisper-tiny.en

.venv/.packages: requirements-dev.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

.venv/.installed: pyproject.toml .venv/.packages
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

tests/node/node_modules/.installed: tests/node/package-lock.json
	cd tests/node && npm ci --silent --no-fund --no-audit
	@touch $@

console/node_modules/.installed: console/package-lock.json
	cd console && npm ci --silent --no-fund --no-audit
	@touch $@

# The web pages; the gateway serves them, and the wheel carries them.
$(WEB): console/node_modules/.installed $(WEB_SOURCES)
	cd console && npm run --silent build

run: setup
	@exec $(BIN)/tokengate serve

test: setup browser
	cd console && npm run --silent test
	$(BIN)/python -m pytest -m "not slow and not soak" $(IN_PROCESSES)

lint: .venv/.packages .venv/.installed $(WEB)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/pyright
	$(BIN)/lint-imports
	$(BIN)/python tools/tidy.py
	cd console && npm run --silent lint

check-all: lint setup toolchains browser
	$(BIN)/python -m pytest -m "not soak" $(IN_PROCESSES)

# Compilers and interpreters for the code samples, as packages of Debian.
toolchains:
	@tools/toolchains.sh

# Tries every code sample, or those of some operations (ONLY='responses or balance'), and notes for the pages which ones
# passed.
samples: setup toolchains
	$(BIN)/python -m pytest tests/samples --ignore tests/samples/test_verified.py --record-samples -k '$(ONLY)'

# Asks every vendor for everything in every format; writes docs/reference/compatibility and media from what came of it.
compatibility: setup
	$(BIN)/python -m pytest tests/compatibility --record-compatibility -m slow

# The system's Chromium, for the browser tests.
browser:
	@tools/browser.sh

# The pictures of the README and the guides.
screenshots: setup
	@tools/browser.sh pictures
	$(BIN)/python -m tests.browser.screenshots

bench: setup
	$(BIN)/python -m bench

soak: setup
	$(BIN)/python -m pytest -m soak --timeout 0
	$(BIN)/python -m bench.soak

# Pins every package with its hash. The second file holds the first one's versions.
lock:
	$(PYTHON) -m venv .venv-lock
	.venv-lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile $(LOCK_OPTIONS) \
		--extra local --output-file requirements.lock pyproject.toml
	CUSTOM_COMPILE_COMMAND="make lock" .venv-lock/bin/pip-compile $(LOCK_OPTIONS) \
		--extra local --extra speech --extra dev --constraint requirements.lock --output-file requirements-dev.lock pyproject.toml
	rm -rf .venv-lock

wheel: .venv/.packages .venv/.installed $(WEB)
	$(BIN)/python tools/gen_reference.py
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .

# Removes what the other targets made, but for the data folder: it holds wallets.
clean:
	rm -rf bench/.run
	rm -rf .venv .venv-lock dist build tests/node/node_modules console/node_modules src/tokengate/web/static
	rm -rf .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find src tests tools bench -name __pycache__ -type d -prune -exec rm -rf {} +
