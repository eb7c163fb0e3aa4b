# Two commands do all set-up: `make demo` runs the main job, `make test` passes the tests.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
# Many tests wait for a browser, a server or a time-out: more workers than cores.
WORKERS ?= 5

.PHONY: setup demo test check proof bench evals train clients lock clean

.venv/runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Newsletter needs Python 3.11 or newer")'
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes -r requirements.lock
	$(PIP) install --no-deps -e .
	@touch $@

.venv/dev: requirements-dev.lock .venv/runtime
	$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

setup: .venv/dev

demo: .venv/runtime
	$(BIN)/newsletter demo $(ARGS)

test: .venv/dev
	$(BIN)/pytest -n $(WORKERS) -m "not proof" -q

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

proof: .venv/dev
	mkdir -p build && rm -f build/proof.txt
	PROOF_TOLD=build/proof.txt $(BIN)/pytest tests/proof -n $(WORKERS) --dist worksteal -q -p no:randomly
	sort build/proof.txt
	$(BIN)/pytest -m proof --ignore=tests/proof -q -s -p no:randomly

bench: .venv/dev
	for script in tests/benchmarks/bench_*.py; do echo "## $$script"; PYTHONPATH=. $(BIN)/python $$script || exit 1; done

evals: .venv/dev
	PYTHONPATH=. $(BIN)/python -m tests.evals $(DATA)

train: .venv/dev
	PYTHONPATH=. $(BIN)/python -m tests.evals.training $(DATA) --write

# What mail programs show, as tested lately: caniemail's data, reduced into newsletter/mail/clients/support.json.
clients: .venv/runtime
	rm -rf build/caniemail && mkdir -p build/caniemail && cd build/caniemail && npm pack --silent caniemail@latest && tar xzf caniemail-*.tgz
	$(BIN)/python -m newsletter.mail.clients.refresh build/caniemail/package/data/caniemail.json \
	  "$$(sed -n 's/.*"version": "\(.*\)".*/\1/p' build/caniemail/package/package.json | head -1)"

lock:
	$(PYTHON) -m pip install --quiet uv
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml -o requirements.lock
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header pyproject.toml --group dev -o requirements-dev.lock

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache
