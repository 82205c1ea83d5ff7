# Everything needs only Python (>= 3.11), pip and make; each target makes its environment by itself.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
ARGS ?=
# Hub, followers, index and clinics are processes: none of them should compile all modules anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test coverage soak lint bench docs lock clean fhir fhir-examples

demo: $(VENV)/ready
	$(BIN)/broadstreet demo $(ARGS)

test: lint
	$(BIN)/python -m pytest -m "not soak" -n 2 $(ARGS)

# The same with the lines that no test runs; half as long again.
coverage: $(VENV)/ready
	$(BIN)/python -m pytest -m "not soak" -n 2 --cov --cov-report=term $(ARGS)

soak: $(VENV)/ready
	BROADSTREET_SOAK=1 $(BIN)/python -m pytest -m "soak" --timeout 3600 $(ARGS)
	BROADSTREET_SOAK=1 $(BIN)/python -m pytest tests/property --timeout 3600 $(ARGS)

lint: $(VENV)/ready
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(VENV)/ready
	$(BIN)/python -m bench $(ARGS)

docs: $(VENV)/ready
	$(BIN)/python -m sphinx -W --keep-going -b html docs docs/_build/html
	$(BIN)/python -m sphinx -W --keep-going -b doctest docs docs/_build/doctest

$(VENV): $(VENV)/ready

$(VENV)/ready: requirements/dev.txt pyproject.toml
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	touch $@

# The official FHIR R4 examples (5,306 files, CC0) that the conformance tests read; needs npm.
fhir-examples: .cache/fhir-r4-examples/package/package.json
.cache/fhir-r4-examples/package/package.json:
	mkdir -p .cache/fhir-r4-examples
	cd .cache/fhir-r4-examples && npm pack --silent hl7.fhir.r4.examples@4.0.1 && tar xzf *.tgz && rm *.tgz

# Write the FHIR structs again from the StructureDefinitions among the examples.
fhir: fhir-examples $(VENV)/ready
	$(BIN)/python tools/generate_fhir.py .cache/fhir-r4-examples/package

# Pinned with hashes, without any download address; extras kept (pip before 24 looks past a pin without them). Needs uv.
lock:
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-strip-extras \
	  --all-extras --group dev --custom-compile-command "make lock" -o requirements/dev.txt pyproject.toml

clean:
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis docs/_build .coverage*
