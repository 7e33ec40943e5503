# `make demo` and `make test` do all the set-up themselves; they need Python 3.11, 3.12 or 3.13.

PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null && echo $$p && break; done)
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --quiet --disable-pip-version-check
PYTEST_FLAGS ?=

.PHONY: demo test test-thorough check bench bench-accuracy bench-pipeline test-components test-image test-influx lock clean

demo: $(VENV)/.installed
	$(VENV)/bin/quotidian demo demo

# What it lacks it says: pytest's summary lists every test that was skipped, and why.
test: check
	$(VENV)/bin/python -m pytest $(PYTEST_FLAGS)

# The laws of the detectors on a thousand random histories each, where `make test` tries six.
test-thorough: $(VENV)/.developing
	$(VENV)/bin/python -m pytest tests/detect/test_laws.py tests/detect/test_incremental.py \
		--hypothesis-profile=thorough $(PYTEST_FLAGS)

check: $(VENV)/.developing
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports

bench: $(VENV)/.developing
	$(VENV)/bin/python -m benchmarks

# How many claims are true and how many habits are found, on homes that nothing was tuned on: an hour and more on two
# cores. RESIMULATIONS=20 gives nearly the same figures in a sixth of the time.
RESIMULATIONS ?= 200
bench-accuracy: $(VENV)/.benching
	$(VENV)/bin/python -m benchmarks.accuracy --seeds 2001-2020 --resimulations $(RESIMULATIONS) --years 2 --workers 2 \
		--calibrate --cost --plots docs/images

# The live pipeline alone, with its quiet day beside a real Home Assistant: about an hour.
bench-pipeline: $(VENV)/.developing
	$(VENV)/bin/python -m benchmarks --only pipeline --only pipeline-flood --only pipeline-day

# What the tests use beyond Python: a browser, Prometheus, strace, InfluxDB 1 and VictoriaMetrics from Debian, a real
# Home Assistant from PyPI, the parser of Flux from npm.
test-components:
	tests/components.sh

# The contracts of the store on a real InfluxDB 2 server, in three buckets of their own (quotidian_test_…).
test-influx: $(VENV)/.developing
	@test -n "$(URL)" -a -r "$(TOKEN_FILE)" -a -n "$(ORG)" || \
		{ echo "Usage: make test-influx URL=http://… TOKEN_FILE=… ORG=…" >&2; exit 1; }
	@QUOTIDIAN_TEST_INFLUX_URL="$(URL)" QUOTIDIAN_TEST_INFLUX_ORG="$(ORG)" QUOTIDIAN_TEST_INFLUX_TOKEN="$$(cat "$(TOKEN_FILE)")" \
		$(VENV)/bin/python -m pytest tests/contracts -k influx $(PYTEST_FLAGS)

# Builds the image for real, without Docker, and runs it; needs root on Debian, and some minutes.
test-image:
	tests/image.sh

lock: $(VENV)/.developing
	$(PIP) install uv
	$(VENV)/bin/uv pip compile pyproject.toml --extra influx --universal --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --generate-hashes --no-header --quiet --output-file requirements.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --generate-hashes --no-header --quiet --output-file requirements-dev.lock
	$(VENV)/bin/uv pip compile pyproject.toml --extra bench --universal --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --generate-hashes --no-header --quiet --output-file requirements-bench.lock

clean:
	rm -rf $(VENV) demo dist

$(VENV)/bin/python:
	@test -n "$(PYTHON)" || { echo "Quotidian needs Python 3.11, 3.12 or 3.13; none was found. Set PYTHON=/path/to/python." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: requirements.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --requirement requirements.lock
	$(PIP) install --no-deps --editable .
	touch $@

$(VENV)/.developing: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	$(PIP) install --require-hashes --requirement requirements-dev.lock
	$(PIP) install --no-deps --editable .
	touch $@ $(VENV)/.installed

$(VENV)/.benching: $(VENV)/.developing requirements-bench.lock
	$(PIP) install --require-hashes --requirement requirements-bench.lock
	touch $@
