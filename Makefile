# The main jobs. On a bare machine with Python 3.11 or newer each of them first makes .venv from
# the locks (hashes checked), with the command at .venv/bin/flowbridge; a second run is quick.
#
#   make synth                          check, prove and synthesize the examples
#   make synth DEPLOYMENTS=mine.yaml    ... or your own (paths or globs, separated by ":")
#   make test                           format, lint, types and every test
#   make quick                          the same without the slow tests
#   make coverage                       every test, and how much of the three middle rooms they reach
#   make one TEST=tests/test_house.py   one file of tests, one test (path::name)
#   make docs                           every page and schema that is made from code and data
#   make golden                         write the goldens anew; read the difference before committing
#   make bench                          the measurements behind docs/benchmarks.md
#   make site                           the documentation with the catalog explorer into dist/site
#   make release                        wheel, source distribution, site, bill of materials into dist/
#   make lock                           renew the locks (needs an index and, for the CLI's, npm)
#   make clean                          remove what these made, never a Terraform state

SHELL := /bin/sh
.DEFAULT_GOAL := synth
.DELETE_ON_ERROR:
.PHONY: synth test coverage quick one docs golden bench site release lock clean format

VENV := .venv
BIN := $(VENV)/bin
STAMPS := $(VENV)/stamps
CACHE := .cache
LOCKED := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r
PYTHONS := $(PYTHON) python3 python3.13 python3.12 python3.11 python

ifdef DEPLOYMENTS
export FLOWBRIDGE_DEPLOYMENTS := $(DEPLOYMENTS)
endif

synth: $(STAMPS)/runtime
	@$(BIN)/python main.py

test: $(STAMPS)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy main.py
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder

# By itself: to follow every branch doubles the time of a test (docs/benchmarks.md).
coverage: $(STAMPS)/dev
	$(BIN)/pytest -n auto --dist loadfile --no-loadscope-reorder \
	    --cov --cov-report=term:skip-covered

quick: $(STAMPS)/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy main.py
	$(BIN)/pytest -n auto --dist loadfile -m "not slow"

format: $(STAMPS)/dev
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: $(STAMPS)/dev
	for kind in deployment overlay table edition; do \
	    $(BIN)/flowbridge schema --of $$kind > schemas/$$kind.schema.json || exit 1; \
	done
	$(BIN)/python -m flowbridge.deployment.pages.reference > docs/deployment.md
	$(BIN)/flowbridge catalog errata --format markdown > docs/errata.md
	$(BIN)/flowbridge catalog guide --format markdown > docs/guide-rules.md
	$(BIN)/flowbridge catalog features --format markdown > docs/features.md
	$(BIN)/python -m flowbridge.answers.publish
	$(BIN)/python -m flowbridge.catalog.released

golden: $(STAMPS)/dev
	$(BIN)/python -m tests.golden.renew

one: $(STAMPS)/dev
	$(BIN)/pytest -n 0 $(TEST)

bench: $(STAMPS)/runtime $(CACHE)/bench/ready
	$(BIN)/python bench/synth.py --peers $(CACHE)/bench/bin/python
	$(BIN)/python bench/policy.py --peer $(CACHE)/bench/bin/python
	$(BIN)/python bench/goals.py

$(BIN)/python:
	@for python in $(PYTHONS); do \
	    if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        echo "making $(VENV) with $$("$$python" --version)"; \
	        exec "$$python" -m venv $(VENV); \
	    fi; \
	done; \
	echo "Python 3.11 or newer is needed and none is on the PATH;" \
	     "install one, or name it: make PYTHON=/path/to/python3.12" >&2; exit 2

# Node runs the synthesis engine: the one on the PATH if its maker still supports it (22 or newer),
# else a locked wheel.
$(STAMPS)/node: requirements/node.lock Makefile | $(BIN)/python
	@mkdir -p $(STAMPS)
	@if node -e 'process.exit(parseInt(process.versions.node) >= 22 ? 0 : 1)' 2>/dev/null; then \
	    echo "using node $$(node --version)"; \
	else \
	    echo "installing node from PyPI"; $(LOCKED) requirements/node.lock; \
	fi
	@touch $@

$(STAMPS)/runtime: requirements/runtime.lock pyproject.toml $(STAMPS)/node | $(BIN)/python
	@echo "installing requirements/runtime.lock"
	@$(LOCKED) requirements/runtime.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
	    --no-deps --no-build-isolation --no-index --editable .
	@touch $@

# A browser and the rules of accessibility for tests/browser; without them those tests say so.
$(CACHE)/browser/ready: tests/browser/package-lock.json tests/browser/bring.sh
	@echo "bringing what tests/browser needs"
	@tests/browser/bring.sh $(CACHE)/browser
	@touch $@

$(STAMPS)/dev: requirements/dev.lock $(STAMPS)/runtime $(CACHE)/site/ready $(CACHE)/browser/ready | $(BIN)/python
	@echo "installing requirements/dev.lock"
	@$(LOCKED) requirements/dev.lock
	@touch $@

# The prebuilt bindings weigh over a gigabyte; they are measured, never used.
$(CACHE)/bench/ready: requirements/bench.lock | $(BIN)/python
	$(BIN)/python -m venv $(CACHE)/bench
	$(CACHE)/bench/bin/python -m pip install --quiet --require-hashes -r requirements/bench.lock
	@touch $@

# Static pages that need no server; open dist/site/index.html.
site: $(STAMPS)/runtime $(CACHE)/site/ready
	@$(BIN)/python -m website dist/site --generator $(CACHE)/site/bin/mkdocs

$(CACHE)/site/ready: requirements/site.lock | $(BIN)/python
	@echo "installing requirements/site.lock"
	@$(BIN)/python -m venv $(CACHE)/site
	@$(CACHE)/site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
	    -r requirements/site.lock
	@touch $@

# The same bytes for one commit, whoever builds; refused where version, changelog and goldens
# disagree.
release: $(STAMPS)/dev $(CACHE)/release/ready
	@$(BIN)/python -m release dist --bill $(CACHE)/release/bin/cyclonedx-py \
	    --generator $(CACHE)/site/bin/mkdocs

$(CACHE)/release/ready: requirements/release.lock | $(BIN)/python
	$(BIN)/python -m venv $(CACHE)/release
	$(CACHE)/release/bin/python -m pip install --quiet --require-hashes -r requirements/release.lock
	@touch $@

COMPILE := $(CACHE)/lock/bin/uv pip compile --quiet --universal --python-version 3.11 \
    --generate-hashes --no-header --no-annotate --upgrade

lock: $(BIN)/python
	$(BIN)/python -m venv $(CACHE)/lock
	$(CACHE)/lock/bin/python -m pip install --quiet uv
	for name in runtime dev bench node schema ingest release site; do \
	    $(COMPILE) requirements/$$name.in --output-file requirements/$$name.lock || exit 1; \
	done
	rm -f package-lock.json
	npm install --package-lock-only --omit-lockfile-registry-resolved
	rm -f tests/browser/package-lock.json
	cd tests/browser && npm install --package-lock-only --omit-lockfile-registry-resolved

clean:
	rm -rf $(VENV) $(CACHE) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage
	find cdktf.out -name cdk.tf.json -delete 2>/dev/null || true
	rm -f cdktf.out/manifest.json
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
