# Two commands matter: `make demo` and `make test`. Both set up what they need, once.

PYTHON := $(shell for python in python3.13 $(HOME)/.pyenv/versions/3.13*/bin/python3.13 python3.12 python3.11 python3; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && command -v "$$python" && break; done)
RUN := .venv/bin/python
SAM := SAM_CLI_TELEMETRY=0 .venv-sam/bin/sam
REGION := eu-west-1
WORKERS := auto
SEED := 1
SEEDS := 20000
PIP := -m pip install --quiet --disable-pip-version-check --require-hashes -r

.PHONY: help demo dev test gates unit setup bench costs build lock schemas clean tryton odoo test-odoo bench-finance fuzz attack scan load simulate

help: ## this list
	@grep -E '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 16

demo: .venv/ready .venv-tryton/ready .cache/ready ## a day at two shops, their back office, a month's money, played and checked (ARGS="--act finance")
	@$(RUN) -m infra.demo $(ARGS)

dev: .venv/ready .cache/ready ## the local stack on http://127.0.0.1:8787 (ARGS="--data DIR", "--memory", "--port N")
	@$(RUN) -m infra.local.serve $(ARGS)

test: gates unit ## the gates and all tests

gates: .venv/ready .venv-sam/ready
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/mypy
	.venv/bin/lint-imports
	.venv/bin/cfn-lint template.yaml
	$(SAM) validate --lint --region $(REGION)

unit: .venv/ready .venv-sam/ready .venv-tryton/ready .cache/ready
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile

test-odoo: .venv/ready ## the same for Odoo, where one is installed (an `odoo` on the PATH, or STOREBRIDGE_ODOO_COMMAND)
	$(RUN) -m pytest tests/contract/backoffices tests/unit/backoffices/odoo tests/e2e/test_backoffice_way.py -k odoo

tryton: .venv/ready .venv-tryton/ready ## a Tryton with an example company, for developers
	@$(RUN) -m infra.tryton

odoo: .venv/ready ## an Odoo with an example company, where one is installed
	@$(RUN) -m infra.odoo

bench: .venv/ready .cache/ready ## CPU, write units, imports and throughput, as ratios and exact counts
	@$(RUN) -m infra.bench $(ARGS)

load: .venv/ready .cache/ready ## traffic of two shops with a kill -9 in its middle, every id accounted for (ARGS="--orders N --rate R --seed S")
	@$(RUN) -m infra.load $(ARGS)

simulate: .venv/ready ## histories of the deployment under faults (SEEDS=100000; 17-17 tells one's story; ARGS="--mutant all", "--sweep 3")
	@$(RUN) -m tests.simulation --seeds $(SEEDS) $(ARGS)

bench-finance: .venv/ready ## a month of 40,000 orders with planted faults, reconciled and held against the truth (SEED=7)
	@$(RUN) -m infra.bench.finance --seed $(SEED) $(ARGS)

fuzz: .venv/ready ## everything that reads foreign bytes, tried for ten minutes; by coverage where atheris is installed (ARGS="--minutes 60 --target file_camt")
	@$(RUN) -m tests.fuzz $(ARGS)

attack: .venv/ready .venv-attack/ready .cache/ready ## schemathesis against the HTTP API on the local stack (ARGS="--max-examples 1000")
	@$(RUN) -m tests.attack $(ARGS)

scan: .venv/ready .venv-scan/ready ## checkov on the template, bandit on the code, pip-audit on the lock files, a list of what is deployed into build/
	@$(RUN) -m infra.scan

costs: .venv/ready ## count what an order and an idle month cost on AWS, into infra/docs/costs.md (ARGS="--measure": CPU times anew)
	@$(RUN) -m infra.costs $(ARGS)

build: .venv/ready .venv-sam/ready ## what `sam deploy` would upload
	PATH="$(dir $(PYTHON)):$$PATH" $(SAM) build --cached --parallel --region $(REGION)
	# Lambda's disk is read-only: without these files every cold start compiles anew (850 against 430 ms measured).
	$(RUN) -m compileall -q -j 0 --invalidation-mode unchecked-hash .aws-sam/build

schemas: .venv/ready ## JSON Schemas of the data standard and of the bus events
	@$(RUN) -m infra.schemas.generate

lock: .venv/ready ## pin and hash the requirements anew
	set -e; compile=".venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --no-header --upgrade"; \
	$$compile requirements/lambda.in requirements/dev.in -o requirements/dev.txt; \
	$$compile requirements/lambda.in -c requirements/dev.txt -o infra/lambda/requirements.txt; \
	$$compile requirements/sam.in -o requirements/sam.txt; \
	$$compile requirements/tryton.in -o requirements/tryton.txt; \
	$$compile requirements/attack.in -o requirements/attack.txt; \
	$$compile requirements/scan.in -o requirements/scan.txt; \
	$$compile requirements/node.in -o requirements/node.txt

setup: .venv/ready .venv-sam/ready .venv-tryton/ready .cache/ready ## all that the other commands need; after it they work without a network

.venv/ready: requirements/dev.txt requirements/node.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed"; exit 1; }
	@echo "setting up .venv with $(PYTHON)"
	@$(PYTHON) -m venv .venv
	@$(RUN) $(PIP) requirements/dev.txt
	@command -v npm >/dev/null || $(RUN) $(PIP) requirements/node.txt
	@$(RUN) -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

.venv-sam/ready: requirements/sam.txt
	@echo "setting up .venv-sam"
	@$(PYTHON) -m venv .venv-sam
	@.venv-sam/bin/python $(PIP) requirements/sam.txt
	@touch $@

.venv-attack/ready: requirements/attack.txt
	@echo "setting up .venv-attack"
	@$(PYTHON) -m venv .venv-attack
	@.venv-attack/bin/python $(PIP) requirements/attack.txt
	@touch $@

.venv-scan/ready: requirements/scan.txt
	@echo "setting up .venv-scan"
	@$(PYTHON) -m venv .venv-scan
	@.venv-scan/bin/python $(PIP) requirements/scan.txt
	@touch $@

.venv-tryton/ready: requirements/tryton.txt
	@echo "setting up .venv-tryton"
	@$(PYTHON) -m venv .venv-tryton
	@.venv-tryton/bin/python $(PIP) requirements/tryton.txt
	@touch $@

.cache/ready: .venv/ready infra/local/dynoxide.py infra/local/shopify_schema.py
	@echo "fetching the local DynamoDB engine and Shopify's schema"
	@$(RUN) -m infra.local.fetch
	@touch $@

clean: ## forget everything that was set up or built
	rm -rf .venv .venv-sam .venv-tryton .venv-attack .venv-scan .cache .aws-sam .data build
