# `make run` and `make test` are all a newcomer needs: each does its own set-up.
PYTHON ?= python3
VENV   ?= .venv
BIN    := $(VENV)/bin
, := ,
RUN_STAMP := $(VENV)/.installed-to-run
STAMP  := $(VENV)/.installed
RELEASE_STAMP := $(VENV)/.installed-for-releases
DEPLOY_STAMP := $(VENV)/.installed-to-deploy
SHELL  := bash
# Twice as many as the cores of CI: much of the tests is waiting.
PYTEST := env -u OMNI_ENDPOINT $(BIN)/pytest -n 4 --dist loadfile --no-loadscope-reorder

# Compiled modules are kept, whatever the environment says: the tests start some hundred processes.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help run test tests test-quick test-packages test-deploy test-live conformance crash-test faults fuzz mutation lint style types bench wrk bench-simulator bench-scale bench-slow soak openapi clients deploy-tools dist lock sdk-reference sdk-release values-schema lint-document protos services setup clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /\1\t/' | expand -t 14

# A line for each package, for the first time this takes a minute or two.
INSTALL = set -o pipefail; echo "Installing $(1) into $(VENV):" >&2; \
	$(BIN)/python -m pip install --no-input --disable-pip-version-check --progress-bar off -c constraints.txt $(2) \
	| sed -u -n 's/^ *Collecting \([A-Za-z0-9._-]*\).*/  \1/p; s/^Installing collected.*/Installing all of these, for half a minute .../p' >&2 \
	|| { echo "The packages could not be installed; the lines above say why. Mend that and run make again." >&2; exit 1; }

PROBLEM = { echo "$(1)" >&2; exit 1; }

$(VENV)/bin/python:
	@command -v $(PYTHON) >/dev/null || $(call PROBLEM,There is no $(PYTHON). Install Python 3.11 or newer$(,) or name yours: make $(MAKECMDGOALS) PYTHON=/path/to/python3)
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  $(call PROBLEM,$(PYTHON) is $$($(PYTHON) -V 2>&1); this needs Python 3.11 or newer. Name one: make $(MAKECMDGOALS) PYTHON=python3.12)
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || \
	  $(call PROBLEM,$(PYTHON) has no module venv. On Debian and Ubuntu: apt install python3-venv)
	@echo "Making the virtual environment $(VENV) ..." >&2
	@$(PYTHON) -m venv $(VENV) || $(call PROBLEM,The virtual environment $(VENV) could not be made; the lines above say why.)

$(RUN_STAMP): setup.cfg constraints.txt | $(VENV)/bin/python
	@$(call INSTALL,what the gateway needs,-e .)
	@touch $@

$(STAMP): setup.cfg pyproject.toml constraints.txt | $(RUN_STAMP)
	@$(call INSTALL,what the tests need,-e '.[test$(,)protos]')
	@touch $@

setup: $(STAMP) ## make the virtual environment, with what the tests need

run: $(RUN_STAMP) ## serve the API on 127.0.0.1:8080 (with the embedded Omni unless OMNI_ENDPOINT is set)
	@$(BIN)/omni-gateway serve

crash-test: $(STAMP) ## kill the simulator 120 times while it is written to, and hold what is left against what was acknowledged
	SIMULATOR_KILLS=120 $(BIN)/pytest -q tests/simulator/test_crash.py

fuzz: $(STAMP) ## write 10,000 documents of all types to /apply and as many to /resources, dry and for real (COUNT=…, SEED=…), call each operation (EXAMPLES=…), try all examples of other properties
	FUZZ_DOCUMENTS=$(or $(COUNT),10000) FUZZ_EXAMPLES=$(or $(EXAMPLES),25) $(if $(SEED),FUZZ_SEED=$(SEED)) \
	  $(BIN)/pytest -q -s --timeout 3600 -p no:logging tests/api/test_write_fuzz.py tests/api/test_fuzz.py \
	  tests/api/test_oidc.py tests/api/test_authorization_fuzz.py tests/unit/cache/test_cache_model.py \
	  tests/omni_client/test_client_cache_story.py

MUTATION_STAMP := $(VENV)/.installed-for-mutation

$(MUTATION_STAMP): $(STAMP)
	@$(call INSTALL,what mutation testing needs,-e '.[mutation]')
	@touch $@

mutation: $(MUTATION_STAMP) ## change what decides who sees what in each small way, and see whether a test fails: docs/mutation.md (ONLY="etag access", SAMPLE=1: every fifth)
	$(BIN)/python -m tests.mutation $(if $(ONLY),--only "$(ONLY)") $(if $(SAMPLE),--sample) $(if $(PROCESSES),--processes $(PROCESSES))

lint: style types ## ruff, mypy, import rules

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

# Without a cache mypy takes a minute, of one core.
test: style ## lint, types, import rules, all tests but those of packages and of deployments; never against a live Omni, whatever the environment says
	$(MAKE) --no-print-directory --jobs=2 types tests

tests: $(STAMP)
	$(PYTEST) --ignore=tests/deploy -m "not packages and not deploy"

test-quick: $(STAMP) ## the tests that are not slow by nature
	$(PYTEST) --ignore=tests/deploy -m "not slow and not packages and not deploy"

# What a change seldom breaks and a release must not: each builds, installs or generates packages, for minutes. Only
# their files are collected: all files take each worker as long as some of these tests.
test-packages: $(STAMP) ## the wheel, the scaffold's packages, the tutorial, the examples, the clients, the plugin kit over planted mistakes
	$(PYTEST) -m packages $$(grep -rl --include='test_*.py' mark.packages tests)

test-deploy: $(STAMP) $(DEPLOY_STAMP) deploy-tools ## deploy/ by the tools of operators; builds helm and kubeconform where there is Go (once, some minutes)
	$(BIN)/python -m tests.deploy.tools
	env -u OMNI_ENDPOINT $(BIN)/pytest -q -m deploy tests/deploy

conformance: $(STAMP) ## the conformance suite against the simulator, or the Omni named by OMNI_ENDPOINT
	$(BIN)/pytest -q -m conformance tests/conformance

test-live: $(STAMP) ## the e2e and conformance suites against the Omni named by OMNI_ENDPOINT and OMNI_SERVICE_ACCOUNT_KEY
	@test -n "$$OMNI_ENDPOINT" || { echo "set OMNI_ENDPOINT and OMNI_SERVICE_ACCOUNT_KEY first"; exit 2; }
	$(BIN)/python -m pytest -p tests.immediate_failures -m live tests/e2e tests/conformance

bench: $(STAMP) wrk ## the table of ratios (QUICK=1: two minutes; ONLY="warm cold": parts of it; TARGET=URL: another server)
	$(BIN)/python -m benchmarks $(if $(TARGET),--target $(TARGET)) $(if $(QUICK),--quick) $(if $(ONLY),--only $(ONLY))

soak: $(STAMP) ## ten minutes of mixed load with faults, at each rest all answers compared with Omni's (MINUTES=2, SEED=…)
	$(BIN)/python -m benchmarks.soak $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

faults: $(STAMP) services ## take Omni, PostgreSQL, SQLite and Redis away in every way, and write what callers see to docs/faults.md (ONLY="redis omni/hung")
	$(BIN)/python -m tests.faults $(if $(ONLY),--only "$(ONLY)")

bench-simulator: $(STAMP) ## how the simulator carries 10,000 machines, 500 clusters, 100 watches
	$(BIN)/python -m benchmarks.simulator_scale

bench-scale: $(STAMP) wrk ## what grows with the fleet (to 50,000 machines), with watchers and with replicas (ONLY="watchers replicas"); 15 minutes, 4 GB
	$(BIN)/python -m benchmarks.scale $(if $(ONLY),--only $(ONLY))

bench-slow: $(STAMP) ## what slow clients cost the others, at bare gunicorn and through nginx
	$(BIN)/python -m benchmarks.slow_clients

# Debian starts what it installs; the tests start their own, so nothing is to be left running.
services: ## install PostgreSQL, Redis, nginx, Chromium and Prometheus from Debian's packages, where they are missing (as root)
	@missing=; \
	ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || missing="$$missing postgresql"; \
	command -v redis-server >/dev/null || missing="$$missing redis-server"; \
	{ command -v nginx || test -x /usr/sbin/nginx; } >/dev/null || missing="$$missing nginx"; \
	command -v chromium >/dev/null || missing="$$missing chromium"; \
	command -v prometheus >/dev/null || missing="$$missing prometheus"; \
	test -n "$$missing" || exit 0; \
	command -v apt-get >/dev/null || { echo "install these yourself, this is not Debian:$$missing"; exit 1; }; \
	test "$$(id -u)" = 0 || { echo "run this as root, for it installs:$$missing"; exit 1; }; \
	apt-get update -qq && \
	RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null

wrk: ## install the load generator wrk from Debian's package, where it is missing (as root)
	@if command -v wrk >/dev/null; then exit 0; fi; \
	command -v apt-get >/dev/null || { echo "install wrk yourself, this is not Debian"; exit 1; }; \
	test "$$(id -u)" = 0 || { echo "run this as root, for it installs wrk"; exit 1; }; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends wrk >/dev/null

openapi: $(RUN_STAMP) ## print the OpenAPI document
	@$(BIN)/omni-gateway openapi

clients: $(STAMP) ## make the Python and npm packages and the Go module of the clients in dist/ (needs Node.js and Go)
	$(BIN)/python -m clients.build dist

$(RELEASE_STAMP): setup.cfg constraints.txt | $(RUN_STAMP)
	@$(call INSTALL,what a release needs,-e '.[otel$(,)postgresql$(,)release]')
	@touch $@

dist: $(RELEASE_STAMP) ## build the wheel, its source, the lock and the bill of materials in dist/, the same bytes for the same commit
	$(BIN)/python -m deploy.distribution dist

$(DEPLOY_STAMP): setup.cfg constraints.txt | $(RELEASE_STAMP)
	@$(call INSTALL,what the tests of deploy/ need,-e '.[deploy]')
	@touch $@

# What is not there and cannot be installed is left out: its tests are skipped by name.
deploy-tools: ## install buildah and mmdebstrap from Debian's packages, where they are missing and this is root
	@missing=$$(for each in buildah mmdebstrap; do command -v $$each >/dev/null || echo $$each; done); \
	test -n "$$missing" && command -v apt-get >/dev/null && test "$$(id -u)" = 0 || exit 0; \
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends $$missing >/dev/null \
	  || echo "These could not be installed; tests are skipped without them:" $$missing >&2

lock: $(RELEASE_STAMP) ## write requirements.lock: what running needs, with hashes, at the versions of constraints.txt
	$(BIN)/uv pip compile --quiet --universal --python $(BIN)/python --python-version 3.11 --no-build-isolation --generate-hashes \
	  --custom-compile-command "make lock" --constraints constraints.txt --extra otel --extra postgresql --output-file requirements.lock setup.cfg

sdk-reference: $(STAMP) ## write docs/plugins/reference.md: every name of the plugin SDK with its signature
	$(BIN)/python -m tests.sdk_reference

sdk-release: $(STAMP) ## at a release: store the public surface of the plugin SDK, which later minors are compared with
	$(BIN)/python -m tests.sdk_reference release

values-schema: $(STAMP) ## write the schema of the Helm chart's values, which has the settings
	$(BIN)/python -m tests.deploy.values_schema

lint-document: $(STAMP) ## lint the OpenAPI document with all rules of Spectral and Redocly (the tests leave Spectral's slow ones out)
	LINT_EXAMPLES=1 $(BIN)/pytest -q tests/api/test_document_linters.py

protos: $(STAMP) ## generate omni_gateway/stubs from protos/
	$(BIN)/python -m grpc_tools.protoc -I protos -I $$($(BIN)/python -c 'import pathlib, google.rpc as r; print(pathlib.Path(list(r.__path__)[0]).parents[1])') \
	  --plugin=protoc-gen-mypy=$(BIN)/protoc-gen-mypy --plugin=protoc-gen-mypy_grpc=$(BIN)/protoc-gen-mypy_grpc \
	  --python_out=. --grpc_python_out=. --mypy_out=quiet:. --mypy_grpc_out=quiet:. protos/omni_gateway/stubs/*.proto

clean: ## remove what was made
	rm -rf $(VENV) .omni-gateway .cache build dist mutants *.egg-info
