# One environment under .venv, made from pyproject.toml and the versions in constraints.txt: what runs, and with the
# first target that needs it what development takes.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
RUNS := .venv/.runs
DAGSTER_HOME := $(CURDIR)/data/dagster

.PHONY: demo test test-s3 test-distributed lint docs site pictures ui bench bench-large fuzz chaos damage sbom audit constraints-hashed clean

demo: $(RUNS)
	$(BIN)/freg demo

# The timeout is no measure of speed: whatever takes so long has stopped, and fails by its name.
test: $(INSTALLED)
	$(BIN)/python -m pytest -n auto --dist worksteal --timeout 900

# Against Ceph's S3 service from Debian, which the tests start and stop; where it isn't installed they skip, and say so.
test-s3: $(INSTALLED)
	$(BIN)/python -m pytest freg_pipeline_tests/on_s3 -n auto --dist loadfile -rs --timeout 900

# On several machines, which are folders here: PostgreSQL, Redis and that S3 service, Celery's workers, one of them lost.
test-distributed: $(INSTALLED)
	$(BIN)/python -m pytest freg_pipeline_tests/distributed -rs --timeout 900

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python docs/generate_tables.py --check
	$(BIN)/python docs/generate_client.py --check
	$(BIN)/python docs/generate_dbt.py --check
	$(BIN)/python docs/site/build.py --check

# A register whose people live, and Dagster's page in front of it.
PORT ?= 3000
REGISTER_PORT ?= 8765
ui: $(RUNS)
	@mkdir -p -m 700 $(DAGSTER_HOME)
	@cp dagster.yaml $(DAGSTER_HOME)/dagster.yaml
	@DAGSTER_HOME=$(DAGSTER_HOME) exec $(BIN)/python -m freg_pipeline.ui \
	  --port $(PORT) --register-port $(REGISTER_PORT)

# The pictures in README and docs, taken anew while the test of an operator's day looks at the page.
pictures: $(INSTALLED)
	PICTURES=$(CURDIR)/docs/images $(BIN)/python -m pytest freg_pipeline_tests/orchestration/test_operators_day.py

docs: $(INSTALLED)
	$(BIN)/python docs/generate_tables.py
	$(BIN)/python docs/generate_client.py
	$(BIN)/python docs/generate_dbt.py

# The documents as a site, in build/site: the tables searchable, the examples with their answers.
site: $(INSTALLED)
	$(BIN)/python docs/site/build.py

# A million damaged answers to the decoder, and every other reader of what comes from outside for ten
# minutes each (READERS="--seconds 60" for less); a short run of both is part of `make test`.
fuzz: $(INSTALLED)
	$(BIN)/python -m freg_pipeline_tests.fuzz.decoder $(FUZZ)
	$(BIN)/python -m freg_pipeline_tests.fuzz.parsers $(READERS)

# Random courses of commands amid faults, one a seed, judged by code of its own; the first three are part of `make test`.
# CHAOS="--minutes 30" begins no course later.
SEEDS ?= 1-20
chaos: $(INSTALLED)
	$(BIN)/python -m freg_pipeline_tests.chaos $(SEEDS) $(CHAOS)

# Every kind of object damaged in each way, read by each command; a few fields of the table are part of `make test`.
damage: $(INSTALLED)
	$(BIN)/python -m freg_pipeline_tests.damage $(DAMAGE)

bench: .venv/.bench
	$(BIN)/python -m benchmarks

# A million persons, and a hundred thousand to compare with; LARGE="--persons 20000" to try it.
bench-large: .venv/.bench
	$(BIN)/python -m benchmarks.large $(LARGE)

# What an image is made of: its bill of materials (CycloneDX) in build/sbom.json, and what is known against it.
sbom: $(INSTALLED) build/image/.installed
	$(BIN)/python -m supply.sbom build/image/bin/python build/sbom.json

audit: $(INSTALLED)
	$(BIN)/python -m supply.audit $(AUDIT)

# To be run when constraints.txt has changed: pip asks the index for the files' hashes, for each processor.
constraints-hashed: $(INSTALLED)
	$(BIN)/python -m supply.hashes

clean:
	rm -rf .venv

# $(call install,EXTRAS)
define install
	@echo "Installing into .venv, once: pip says nothing for about a minute" >&2
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.$(1)' -c constraints.txt
	@echo "Compiling the decoder of documents, once: about 15 seconds" >&2
	$(BIN)/python -c "import freg_pipeline.normalize.machine"
	touch $(RUNS) $@
endef

$(RUNS): pyproject.toml constraints.txt
	$(call install)

$(INSTALLED): pyproject.toml constraints.txt
	$(call install,[dev])

# As deploy/Dockerfile does it, with CPython 3.11 on Linux.
build/image/.installed: constraints-hashed.txt
	$(PYTHON) -m venv --clear --without-pip build/image
	$(BIN)/python -m pip --python build/image install --quiet --disable-pip-version-check \
	  --require-hashes --no-deps --requirement constraints-hashed.txt
	touch $@

.venv/.bench: $(INSTALLED)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,bench]' -c constraints.txt
	touch $@
