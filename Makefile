.DEFAULT_GOAL := help
.PHONY: help run lint test bench pictures dist clean
SHELL := bash
.SHELLFLAGS := -euo pipefail -c

BIN := .venv/bin
# The modules that decide: no branch of them goes untested.
CORE_MODULES := access/budgets access/caller access/certificates access/globs access/needs access/policy addresses \
	args assess audit bounds breaker buckets conditions connections documents durations egress errors \
	evidence flatten freeze gotext grants hosts int_or_string limits names notices plan \
	rate_limit_headers reasons run_document run_events run_manifest run_status run_verdict schedule \
	secrets shapes substitution template turns validation verdict wire yaml_reader
SURVIVAL := tests/faults/test_runs_survive.py
CORE := gateway/expr/*$(CORE_MODULES:%=,gateway/%.py)
CORE := $(subst $() ,,$(CORE))

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
	$(BIN)/pytest -W error --ignore=$(SURVIVAL) --cov --cov-branch --cov-report=term:skip-covered \
		| tee .run/pytest.log; \
	wait $$survival || { cat .run/survival.log; exit 1; }
	$(BIN)/coverage report --include='$(CORE)' --show-missing --fail-under=100
	@tail -n 1 .run/survival.log
	@tail -n 1 .run/pytest.log

bench: ## Measure speed and size against references in the same run
	@tools/setup bench
	@for part in cached upstream shared per_provider conditions start runs slowloris fair askers kubernetes; do $(BIN)/python tests/bench/$$part.py; done

pictures: ## Take the pictures of the page in docs/images again
	@tools/setup test
	$(BIN)/python tools/take_pictures.py

dist: ## Build the wheel and the source archive into dist/
	@tools/setup test
	$(BIN)/python -m build --outdir dist

clean: ## Remove everything that the other targets made
	rm -rf .venv .run .coverage* dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
