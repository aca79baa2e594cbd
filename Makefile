# Every target does its own set-up: a fresh clone needs nothing but Terraform and Python 3.13.
.DEFAULT_GOAL := help
SHELL := bash
BIN := .venv/bin
# A download that fails once is tried again, by pip, uv and Terraform alike.
export PIP_RETRIES ?= 10
export PIP_DEFAULT_TIMEOUT ?= 60
export UV_HTTP_RETRIES ?= 10
export UV_HTTP_TIMEOUT ?= 120
export TF_REGISTRY_DISCOVERY_RETRY ?= 5
export TF_REGISTRY_CLIENT_TIMEOUT ?= 60
# Without compiled files every process of a test run compiles the package and all tests anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help env demo test unit unit-3.11 lint bench faults faults-table fuzz mutation docs scan lock clean matrix check-all

help: ## what there is
	@grep -hE '^[a-z0-9.-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

env: ## make .venv (hashed requirements, Python 3.13)
	@tools/env

demo: env ## the whole rehearsal, offline, on this machine (KEEP=1 leaves it running)
	@$(BIN)/ekm demo $(if $(KEEP),--keep)

test: env ## every check and every test
	@tools/test

unit: env ## the inner loop: no Terraform, no LocalStack, at most two cases of a test
	@$(BIN)/pytest -q -n 2 --dist worksteal -m "not exhaustive" --cases 2 tests/unit

unit-3.11: env ## the unit tests on Python 3.11, where one is found
	@tools/unit-3.11

lint: env ## ruff, mypy, import rules, terraform fmt and validate, generated docs up to date
	@tools/lint

bench: env ## ratios measured in one run
	@$(BIN)/python bench/decisions.py
	@$(BIN)/python bench/operate_calls.py
	@$(BIN)/python bench/streaming.py
	@$(BIN)/python bench/fleet.py
	@$(BIN)/python bench/registrar.py
	@$(BIN)/python bench/usage.py
	@$(BIN)/python bench/run.py

faults: env ## every fault schedule there is, races included (docs/reliability.md): some minutes
	@EKM_FAULTS=all EKM_FAULTS_EXAMPLES=$${EKM_FAULTS_EXAMPLES:-500} $(BIN)/pytest -q -n 2 --dist worksteal tests/faults

faults-table: env ## run the schedules and write the tables of docs/reliability.md
	@$(BIN)/python tools/reliability_table.py

fuzz: env ## the evaluator against its model, the proof against brute force (EKM_FUZZ_CASES, _SEED, _EXAMPLES)
	@$(BIN)/python tools/fuzz.py
	@EKM_FUZZ_EXAMPLES=$${EKM_FUZZ_EXAMPLES:-100} $(BIN)/pytest -q -n 2 --dist worksteal tests/proof

mutation: env ## break each rule on purpose: does a test notice? (EKM_MUTANTS, EKM_MUTATION_SEED)
	@$(BIN)/python tools/mutation.py

matrix: env ## native tests and the examples' plans under each version of Terraform (EKM_MATRIX, PLANS=1)
	@$(BIN)/python tools/matrix.py $(if $(PLANS),--plans)

docs: env ## write the generated tables of README and docs, and the manual pages
	@$(BIN)/python tools/docs.py
	@$(BIN)/python tools/manual_pages.py

scan: env ## run the scanners that customers run, and compare with docs/scanners.md: some minutes
	@tools/scan

check-all: ## everything there is: test, unit-3.11, demo, faults, fuzz, matrix, scan, bench: about an hour
	@tools/check-all

lock: env ## resolve dependencies anew into requirements/*.txt
	@tools/lock

clean: ## remove what the targets made
	rm -rf .venv .venv-3.11 .tools .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis dist
