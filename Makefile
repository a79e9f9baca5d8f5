# Everything a reader does with this project. `make help` lists it.
PYTHON ?= python3
SCALE ?= full
DEVICE ?= auto
JOBS ?= auto
ONLY ?=
CLUSTER ?=
VENV := .venv
RUN := $(VENV)/bin/python -m

# Options reach the program through the environment, as they were typed: neither make nor a shell reads them.
override SCALE := $(value SCALE)
override DEVICE := $(value DEVICE)
override JOBS := $(value JOBS)
override ONLY := $(value ONLY)
override CLUSTER := $(value CLUSTER)
override STRICT := $(value STRICT)
override NATIVE := $(value NATIVE)
override TIMES := $(value TIMES)
override AGAINST := $(value AGAINST)
override WORD_VECTORS := $(value WORD_VECTORS)
export SCALE DEVICE JOBS ONLY CLUSTER STRICT NATIVE
export AGAINST # an earlier commit that bench times beside this state
export TIMES # how often robustness runs each experiment again; by its length if not given
export NO_MKDOCS_2_WARNING := 1
export WORD_VECTORS # a file of word vectors for the offset test; none by default

.DEFAULT_GOAL := help
.PHONY: help report site test serve publish robustness worker bench gpu-check torture audit check lint format clean lock

help: ## list the commands
	@echo 'Options of report and serve: SCALE=quick|full|large (full), DEVICE=auto|cpu|cuda (auto), JOBS=<experiments at once> (one per core), ONLY=<experiment or glob>, WORD_VECTORS=<file>'
	@echo 'and CLUSTER=tcp://host:8786 (run on a dask cluster), STRICT=1 (refuse what differs from the published run), NATIVE=1 (all instructions of this processor)'
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 18

report: $(VENV)/.runtime ## run the experiments, draw the figures, build the site
	@$(RUN) site_builder report

site: $(VENV)/.runtime ## build the site from the published results; nothing runs (about two minutes)
	@$(RUN) site_builder site

test: $(VENV)/.dev ## run the tests
	@$(RUN) pytest -n auto --dist worksteal $(TESTS)

serve: $(VENV)/.runtime ## live preview: pages re-render as you edit
	@$(RUN) site_builder serve

publish: $(VENV)/.runtime ## build at full scale and push the site to GitHub Pages
	@$(RUN) site_builder publish

robustness: $(VENV)/.runtime ## run everything again with other seeds, to see whether verdicts hold (hours)
	@$(RUN) site_builder robustness

worker: $(VENV)/.runtime ## run experiments for others: make worker CLUSTER=tcp://host:8786
	@$(RUN) site_builder worker

bench: $(VENV)/.runtime ## measure the trainer against the published recipe on this machine
	@$(RUN) site_builder bench

gpu-check: $(VENV)/.dev ## on a machine with an NVIDIA GPU: everything that needs one, in under eight minutes
	@$(RUN) site_builder gpu-check

torture: $(VENV)/.dev ## try to break the report: kills, damage, full disks, hostile text (up to 20 minutes; goes on where it stopped)
	@$(RUN) tests.torture

audit: $(VENV)/.dev ## look up known vulnerabilities of the pinned packages (passes without a network)
	@$(RUN) tests.audit

check: lint audit test ## formatting, lint, spelling, types, known vulnerabilities, tests

lint: $(VENV)/.dev ## formatting, lint, spelling and types only
	@$(RUN) ruff format --check -q .
	@$(RUN) ruff check -q .
	@$(RUN) codespell_lib README.md docs experiments site_builder
	@$(RUN) mypy

format: $(VENV)/.dev ## format the code and mend what lint can mend
	@$(RUN) ruff format .
	@$(RUN) ruff check --fix .

clean: ## remove everything that was built (the environment stays)
	@if [ -e build ]; then rm -rf build && echo 'Removed build'; else echo 'There is nothing to remove: build does not exist.'; fi

# torch is held back on purpose: the published numbers were made with this version, and a plain resolve would take
# whichever is newest. It is pinned without digests, since each index has its own builds of it, and its CUDA packages
# are left out: pip adds those of the index it installs from. pip-tools resolves and uv looks up the digests, because
# pip-tools would download every file to know them.
COMPILE := piptools compile -q --strip-extras --allow-unsafe --no-annotate --no-header --no-emit-index-url --no-emit-find-links
# A pin that the oldest Python of pyproject.toml cannot use is refused.
OLDEST := 3.11
DIGESTS := uv pip compile -q --no-deps --generate-hashes --no-annotate --no-header --no-config --python-version $(OLDEST)
define RESOLVE
	@sed -E -e '/^ /d' -e 's/ \\$$//' $(1) > $(VENV)/resolved.txt
	@$(RUN) $(COMPILE) -c requirements-torch.lock $(2) -o $(VENV)/resolved.txt pyproject.toml
	@sed -i -E '/^(torch==|nvidia-|cuda-)/d' $(VENV)/resolved.txt
	@$(RUN) $(DIGESTS) -o $(1) $(VENV)/resolved.txt
endef
lock: $(VENV)/.dev ## resolve the pinned versions anew
	@$(VENV)/bin/pip install -q pip-tools uv
	$(call RESOLVE,requirements.lock)
	$(call RESOLVE,requirements-dev.lock,--extra dev)

$(VENV)/bin/python:
	@command -v '$(PYTHON)' >/dev/null || { echo "There is no '$(PYTHON)' here; name a Python from 3.11 on, as in make PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed and '$(PYTHON)' is older; try make PYTHON=python3.11" >&2; exit 1; }
	@echo 'Making the virtual environment $(VENV)'
	@$(PYTHON) -m venv $(VENV) || { echo "'$(PYTHON) -m venv' failed; on Debian and Ubuntu install python3-venv" >&2; rm -rf $(VENV); exit 1; }

INSTALL := $(VENV)/bin/pip install -q --disable-pip-version-check
$(VENV)/.runtime: requirements.lock requirements-torch.lock | $(VENV)/bin/python
	@echo 'Installing what the report needs (once; a few minutes)'
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(INSTALL) -r requirements-torch.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/.runtime
	@echo 'Installing what the tests need (once)'
	@$(INSTALL) --require-hashes -r requirements-dev.lock
	@touch $@
