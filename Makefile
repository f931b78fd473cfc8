# run: reproduce the pipeline and serve · demo: a fleet to look at · check: what can be checked in three minutes · test: everything, in a quarter of an hour
# bench: measure · soak: the long checks · lock: renew the locked requirements. Each line can be typed by hand.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PORT ?= 8000

.PHONY: run demo check test bench soak lock

# Before a service starts: what asks it would be answered by another on its port.
CHECK_PORT = python -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2>/dev/null || \
	{ echo "port $(PORT) is taken: try make $@ PORT=8001"; exit 1; }

run: .venv/ready
	@$(CHECK_PORT)
	@[ -s dvc.lock ] || git checkout -- dvc.lock # DVC leaves it empty when killed while it writes it
	@if dvc repro download; then dvc repro service; else \
		echo; echo "The recordings cannot be had, see above: serving the artefacts that came with the repository."; fi
	@python -m api & service=$$!; trap "kill $$service 2>/dev/null" EXIT INT TERM; \
		python api/test.py --url http://127.0.0.1:$(PORT) --wait 30 && \
		echo "serving on http://127.0.0.1:$(PORT) (try /docs), Ctrl-C stops it" && wait $$service

# Twenty simulated machines with ninety days of past, in a store of their own.
demo: .venv/ready
	@$(CHECK_PORT)
	@mkdir -p build && rm -f build/demo.sqlite*
	@DATABASE_URL=sqlite:///build/demo.sqlite LOG_REQUESTS=false python -m api & \
		service=$$!; trap "kill $$service 2>/dev/null" EXIT INT TERM; \
		python api/test.py --url http://127.0.0.1:$(PORT) --wait 30 >/dev/null && \
		python -m tests.tools.demo --url http://127.0.0.1:$(PORT) && wait $$service

check: .venv/ready
	ruff format --check .
	ruff check .
	lint-imports
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not processes and not soak" \
		tests/model tests/api tests/pipeline tests/test_*.py

# What measures runs after the others.
test: .venv/ready
	ruff format --check .
	ruff check .
	lint-imports
	python -m tests.tools.browser
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "not alone and not soak" \
		tests/system tests/api tests/model tests/pipeline tests/tools tests/test_*.py
	python -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m "alone and not soak" tests/tools

bench: .venv/ready
	dvc repro scale split
	python -m tests.tools.bench.training
	python -m tests.tools.bench.serving
	python -m tests.tools.bench.others
	python -m tests.tools.docs

soak: .venv/ready
	python -m tests.tools.soak
	python -m tests.tools.fuzz
	python -m pytest -m soak

# The versions stay unless told: make lock UPGRADE=--upgrade
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --annotation-style line \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock" $(UPGRADE)

lock: .venv/ready
	$(LOCK) requirements.in -o requirements.lock
	$(LOCK) -c requirements.lock api/requirements.in -o api/requirements.txt
	$(LOCK) -c requirements.lock api/requirements-scale.in -o api/requirements-scale.txt
	$(LOCK) -c requirements.lock api/requirements-mqtt.in -o api/requirements-mqtt.txt
	$(LOCK) -c requirements.lock api/requirements-files.in -o api/requirements-files.txt

# torch has no hash, since its build differs by platform, and neither has the reader, since it is a folder: pip takes
# hashes for all packages of a command or for none. Linux without a GPU needs no CUDA, so it takes PyTorch's CPU build.
TORCH_CPU := https://download.pytorch.org/whl/cpu

.venv/ready: requirements.lock requirements-torch.txt api/native/records.cpp api/native/setup.py
	python3 -m venv .venv
	pip install --disable-pip-version-check -q -r requirements.lock
	pip install --disable-pip-version-check -q ./api/native
	pip install --disable-pip-version-check -q -r requirements-torch.txt $$( \
		[ "$$(uname)" = Linux ] && ! command -v nvidia-smi >/dev/null && \
		timeout 5 python -c "import requests; requests.get('$(TORCH_CPU)/torch/').raise_for_status()" 2>/dev/null && \
		echo "--index-url $(TORCH_CPU)")
	touch .venv/ready
