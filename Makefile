# Everything a stranger needs: python3, git and make. `make` alone lists what can be done.
SHELL := /bin/bash
.SHELLFLAGS := -o pipefail -c
MAKEFLAGS += --no-print-directory
.DEFAULT_GOAL := help

include src/twinops/adapters/quiet.env
export $(shell sed -n 's/^\([A-Z_]*\)=.*/\1/p' src/twinops/adapters/quiet.env)
export PATH := $(CURDIR)/.venv/bin:$(PATH)
unexport PYTHONPATH PYTHONHOME PYTHONDONTWRITEBYTECODE VIRTUAL_ENV

# a file stays in one process, and the longest begin (tests/conftest.py); by itself xdist begins with the shortest
TWO := -n 2 --dist loadfile --no-loadscope-reorder

say = @printf '\n== %s (%s)\n' "$(1)" "$$(date +%H:%M:%S)" >&2

.PHONY: help setup run replay test test-fast test-server-full siege siege-range planted test-spark check lab serve bench power lint format deps lock clean

help:  ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1\t\2/p' $(MAKEFILE_LIST) | while IFS=$$'\t' read -r name text; do printf '  make %-16s %s\n' "$$name" "$$text"; done

setup:  ## make .venv from the hash-pinned lock (other targets do it first)
	@sh setup/setup.sh

run: setup  ## from real households to a judged, documented candidate
	$(call say,pipeline)
	@twinops doctor --quiet
	@twinops repro
	$(call say,ledger and verdicts)
	@twinops status --record

test: lint  ## lint and all tests, but for those on Spark
	@pytest $(TWO)

test-server-full: setup  ## every race, kill and power cut of the registry's door, 40 kills of `make run` and 30 of an update (hours)
	@TWINOPS_KILLS=300 TWINOPS_STORE_RACES=1000 TWINOPS_RACES=100 TWINOPS_CRASHES=30 TWINOPS_SERVER_KILLS=10 TWINOPS_READS=10000 TWINOPS_PROMOTIONS=200 TWINOPS_FUZZ=10 TWINOPS_LOOKS=4 \
	  TWINOPS_AUDIT_SIZE=1000000 TWINOPS_ERASE_KILLS=30 pytest tests/unit/governance/log/test_audit.py tests/unit/workflows/subject/test_erase.py tests/server -o timeout=3600
	@TWINOPS_RUN_KILLS=40 pytest tests/pipeline/test_kills.py -s -o timeout=7200
	@TWINOPS_UPDATE_KILLS=30 pytest tests/pipeline/test_update.py -k killed -s -o timeout=14400

siege: setup  ## attack the registry's door, and stock MLflow's beside it, on both databases (URL= ACCOUNTS= for one server)
	@python -W ignore tests/siege $(if $(URL),--url $(URL) --accounts $(ACCOUNTS),--targets sqlite,postgresql,s3,stock --out bench/siege.json --document)

siege-range: setup  ## attack the registry's door on the oldest and the newest MLflow that pyproject.toml names (half an hour)
	@for version in $$(ls setup | sed -n 's/^mlflow-\(.*\)\.lock$$/\1/p'); do home=$$(sh setup/mlflow.sh $$version) || exit; \
	  printf '\n== MLflow %s\n' $$version >&2; PATH="$$PWD/$$home/bin:$$PATH" "$$home/bin/python" -m pytest tests/server || exit; \
	  "$$home/bin/python" -W ignore tests/siege --targets sqlite,postgresql,s3,stock --out bench/siege.json --document || exit; done

planted: setup  ## plant 2,000 faults into a candidate that is promotable; writes docs/planted.md which check found each
	@TWINOPS_PLANTED=1 pytest tests/pipeline/test_promotable.py -n 0 -o timeout=3600

test-spark: setup  ## the same SQL and stages on Spark and DuckDB, value by value, on a cluster of two workers (fetches PySpark, and Java 17 where it may)
	@sh setup/spark.sh
	@.twinops/spark/bin/python -m pytest tests/unit/adapters/sql/test_spark.py tests/unit/adapters/sql/test_spark_workers.py tests/pipeline/test_spark_cluster.py

test-fast: setup  ## the unit tests only
	@pytest tests/unit $(TWO)

lint: setup  ## ruff, formatting, mypy, import contracts
	@ruff check .
	@ruff format --check .
	@mypy
	@lint-imports --no-cache

format: setup  ## let ruff mend what it can
	@ruff check --fix .
	@ruff format .

lab: setup  ## JupyterLab on this machine, percent notebooks opened as notebooks
	@jupyter lab --config=setup/lab/jupyter_lab_config.py

serve: setup  ## MLflow where only what was approved can be production, http://127.0.0.1:5000
	@twinops server --port $${PORT:-5000} --adopt

bench: setup  ## measure against peers; writes bench/results.json (PART="sealing features ...", QUICK=--quick)
	@python bench/run.py $(QUICK) $(PART)
	@[ -n "$(QUICK)$(PART)" ] || python bench/registry.py

replay: setup  ## the demonstration's year month by month by `twinops update`, with a planted drift (REPLAY=small: few households)
	@python bench/replay.py

power: setup  ## what the fairness and drift tests find on populations of known truth; writes docs/gates.md
	@python bench/gates.py

deps: setup  ## write into dvc.yaml which code each stage depends on
	@python setup/dependencies.py

lock: setup  ## resolve requirements.lock anew after a change of pyproject.toml
	@uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate --no-emit-index-url \
	  --extra dev --extra s3 --extra build --extra server --extra serve --extra lab --extra demo --extra release pyproject.toml -o requirements.lock

clean:  ## take away what can be made again; data, keys and the ledger stay
	@rm -rf .twinops .pytest_cache .ruff_cache .mypy_cache .hypothesis .import_linter_cache bench/out dist build
	@find . -path ./.venv -prune -o -name __pycache__ -type d -print0 | xargs -0 -r rm -rf
