# run: reproduce the pipeline and serve · test: check everything · bench: measure · soak: the long checks.
# Each line can be typed by hand.

export PATH := $(CURDIR)/.venv/bin:$(PATH)
export PORT ?= 8000

.PHONY: run test bench soak

run: .venv/ready
	@python -c "import socket; socket.create_server(('127.0.0.1', $(PORT)))" 2>/dev/null || \
		{ echo "port $(PORT) is taken: try make run PORT=8001"; exit 1; }
	@[ -s dvc.lock ] || git checkout -- dvc.lock # DVC leaves it empty when killed while it writes it
	@if dvc repro download; then dvc repro service; else \
		echo; echo "The recordings cannot be had, see above: serving the artefacts that came with the repository."; fi
	@python -m api & service=$$!; trap "kill $$service 2>/dev/null" EXIT INT TERM; \
		python api/test.py --url http://127.0.0.1:$(PORT) --wait 30 && \
		echo "serving on http://127.0.0.1:$(PORT) (try /docs), Ctrl-C stops it" && wait $$service

test: .venv/ready
	ruff format --check .
	ruff check .
	python -m tests.tools.browser
	python -m pytest

bench: .venv/ready
	dvc repro scale@as_recorded split@as_recorded
	python -m tests.tools.bench.training
	python -m tests.tools.bench.serving

soak: .venv/ready
	python -m tests.tools.soak
	python -m tests.tools.fuzz

.venv/ready: requirements.txt api/requirements.txt api/requirements-scale.txt api/native/records.cpp api/native/setup.py
	python3 -m venv .venv
	pip install --disable-pip-version-check -q -r requirements.txt
	touch .venv/ready
