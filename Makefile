# The commands of Bangfu. `make help` lists them; README.md tells what they do in more words.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help up down test check fix token migrate bench ledger ledger-selftest clean pin

# The first Python from 3.11 on that can make a virtual environment.
FOUND := for python in python3 python3.14 python3.13 python3.12 python3.11; do \
    $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' \
      2>/dev/null && echo $$python && break; done
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/installed-$(shell (sha256sum requirements-dev.txt 2>/dev/null || shasum -a 256 requirements-dev.txt) | cut -c1-16)
LOCAL := $(BIN)/python -m deploy.local
# What a start writes into BANGFU_HOME; anything else there is not ours to delete.
DATA := postgres kafka attachments secrets logs stack.json processes.json clock.json migrated lock
PIN := $(VENV)/pin/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
  --generate-hashes --no-emit-index-url --no-header
CHECKED := shared services deploy tests

export BANGFU_HOME BANGFU_PORT BANGFU_POSTGRES_URL KAFKA_BOOTSTRAP_SERVERS
export DETACH SAMPLE SCOPES DIVISIONS OFFICER BUREAU BENCH BENCH_JSON

help: ## list the commands
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 17

up: $(STAMP) ## start everything here: servers, six services, the sample county (DETACH=1, SAMPLE=0)
	@$(LOCAL) up

down: ## stop what `make up` started
	@if [ -x $(BIN)/python ]; then $(LOCAL) down; else echo "nothing is running"; fi

test: check $(VENV)/debian-ready ## check, then every test on real PostgreSQL and real Apache Kafka
	@$(BIN)/python -m pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder

check: $(STAMP) ## lint, format, types, the direction of imports
	@$(BIN)/ruff check $(CHECKED)
	@$(BIN)/ruff format --check $(CHECKED)
	@$(BIN)/mypy $(CHECKED)
	@$(BIN)/lint-imports

fix: $(STAMP) ## repair what lint and format can repair by themselves
	@$(BIN)/ruff check --fix $(CHECKED)
	@$(BIN)/ruff format $(CHECKED)

token: $(STAMP) ## print a token (SCOPES="…" DIVISIONS=331124 OFFICER=officer-1)
	@$(LOCAL) token

migrate: $(STAMP) ## bring the six databases of a running stack to the newest schema
	@$(LOCAL) migrate

bench: $(STAMP) ## the benchmarks against bare programs (BENCH=write,read BENCH_JSON=path)
	@$(BIN)/python -m tests.bench

ledger: $(VENV)/debian-ready ## load and faults on the event path, every row checked (SEED=1 MINUTES=4 NODES=1; SEEDS=20 for a row of them)
	@if [ -n "$(SEEDS)" ]; then $(BIN)/python -m tests.ledger seeds --count $(SEEDS) --minutes $${MINUTES:-3} --nodes $${NODES:-1}; \
	  else $(BIN)/python -m tests.ledger run --seed $${SEED:-1} --minutes $${MINUTES:-4} --nodes $${NODES:-1}; fi

ledger-selftest: $(VENV)/debian-ready ## plant six bugs one at a time; the ledger must see each
	@$(BIN)/python -m tests.ledger selftest

clean: down ## stop, then delete the local data in BANGFU_HOME and the caches; keeps .venv
	@home="$${BANGFU_HOME:-.bangfu}"; for part in $(DATA); do rm -rf "$$home/$$part"; done; rmdir "$$home" 2>/dev/null; true
	@rm -rf .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@echo "local data and caches are gone"

pin: $(STAMP) ## write requirements*.txt anew from the .in files, with hashes
	@$(BIN)/python -m venv $(VENV)/pin && $(VENV)/pin/bin/pip install --quiet --disable-pip-version-check uv
	@$(PIN) requirements.in -o requirements.txt
	@$(PIN) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	@rm -rf $(VENV)/pin && echo "pinned; now run make test"

# What the tests need of the system: the gateway's nginx, a browser for the console, Chinese letters, and a
# library that shows a process a wrong clock.
$(VENV)/debian-ready: $(STAMP)
	@PATH="$$PATH:/usr/sbin"; \
	if ! { command -v nginx && command -v chromium && fc-list :lang=zh | grep -q . && ls /usr/lib/*/faketime/libfaketime.so.1; } >/dev/null 2>&1; then \
	  command -v apt-get >/dev/null || { echo "the tests need nginx, chromium, libfaketime and a Chinese font: install them" >&2; exit 1; }; \
	  root=$$([ "$$(id -u)" = 0 ] || echo sudo); echo "installing nginx, chromium, libfaketime and Chinese letters for the tests (once)"; \
	  $$root apt-get update -qq && $$root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
	    nginx-light chromium fontconfig fonts-noto-cjk libfaketime >/dev/null; fi
	@touch $@

$(STAMP): requirements-dev.txt
	@python=$$($(FOUND)); if [ -z "$$python" ]; then echo "Python 3.11 or later with venv is missing: \
	install it (Debian: apt-get install python3 python3-venv)" >&2; exit 1; fi; \
	if ! $(BIN)/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	  echo "making .venv with $$python"; $$python -m venv --clear $(VENV) || exit 1; fi
	@echo "installing the pinned packages into .venv (once; a minute or two)"
	@$(BIN)/python -m pip install --disable-pip-version-check --progress-bar on --require-hashes -r requirements-dev.txt \
	  | sed -u -n '/^Collecting/{s/ (from.*//;p;};/^Installing/{s/collected.*/.../;p;}'; exit $${PIPESTATUS[0]}
	@rm -f $(VENV)/installed-* && touch $(STAMP)
