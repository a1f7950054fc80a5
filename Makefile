.DEFAULT_GOAL := help
.PHONY: help run lint test bench pictures image dist lock sbom audit clean
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

BIN := .venv/bin
# The modules that decide: no branch of them goes untested.
CORE_MODULES := access/budgets access/caller access/certificates access/globs access/needs \
	access/policy addresses args assess audit bounds breaker buckets conditions connections \
	documents durations egress errors evidence flatten freeze gotext grants hosts int_or_string \
	limits names notices plan planned rate_limit_headers reasons redirects run_document \
	run_events run_manifest run_status run_verdict runs/schema schedule secrets shapes \
	substitution template turns validation verdict wire yaml_reader
SURVIVAL := tests/faults/test_runs_survive.py
CORE := gateway/expr/*$(CORE_MODULES:%=,gateway/%.py)
CORE := $(subst $() ,,$(CORE))

LOCKED := --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

help: ## Say what can be made
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/make \1\t\2/p' Makefile | expand -t 14

run: ## Start the gateway, a demo to judge and a Prometheus; options as in ARGS="--gateway-port 8090"
	@tools/setup run
	@exec $(BIN)/python examples/demo/run.py $(ARGS)

lint: ## Check style, types and import contracts
	@tools/setup test
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/mypy examples/demo examples/provider-plugin/acme_kpi.py tests/bench
	$(BIN)/lint-imports

test: lint ## Lint, then run every test with branch coverage
	@mkdir -p .run
	@# What kills replicas for minutes mostly waits: it does so beside the others.
	@$(BIN)/pytest -W error -p no:cacheprovider $(SURVIVAL) > .run/survival.log 2>&1 & survival=$$!; \
	$(BIN)/pytest -W error --ignore=$(SURVIVAL) -m 'not alone' -n 2 --dist loadfile \
		--cov --cov-branch --cov-report= | tee .run/pytest.log; \
	wait $$survival || { cat .run/survival.log; exit 1; }
	$(BIN)/pytest -W error --ignore=$(SURVIVAL) -m alone --cov --cov-branch --cov-append \
		--cov-report=term:skip-covered | tee .run/alone.log
	$(BIN)/coverage report --include='$(CORE)' --show-missing --fail-under=100
	@tail -qn 1 .run/survival.log .run/alone.log .run/pytest.log

bench: ## Measure speed and size against references in the same run
	@tools/setup bench
	@for part in cached upstream shared per_provider conditions start runs slowloris fair askers kubernetes; do $(BIN)/python tests/bench/$$part.py; done

image: ## Do by hand, as root, what docker/Dockerfile says, and check what comes of it
	@tools/setup test
	$(BIN)/python tools/check_image.py

pictures: ## Take the pictures of the page in docs/images again
	@tools/setup test
	$(BIN)/python tools/take_pictures.py

dist: ## Build the wheel and the source archive into dist/
	@tools/setup test
	$(BIN)/python -m build --outdir dist

lock: ## Lock the packages of the image anew; to the newest ones with ARGS=--upgrade
	@tools/setup release
	$(BIN)/uv pip compile --quiet pyproject.toml --extra aws $(LOCKED) $(ARGS) -o docker/requirements.lock
	echo 'hatchling>=1.27' | $(BIN)/uv pip compile --quiet - $(LOCKED) $(ARGS) -o docker/build.lock

sbom: ## Write dist/sbom.cdx.json and dist/licences.md, of what the image installs
	@tools/setup release
	tools/sbom

audit: ## Ask the index which of the locked packages have known vulnerabilities
	@tools/setup release
	$(BIN)/pip-audit --strict --require-hashes -r docker/requirements.lock

clean: ## Remove everything that the other targets made
	rm -rf .venv .run .coverage* dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
