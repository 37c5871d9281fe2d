# make demo    colour the demo clip, or your own: make demo CLIP=clip.mp4 KEY=first.png [MODEL=...]
# make test    lint, types and tests, as continuous integration runs them
# make test-long  more of the same, which takes minutes
# make evaluate  our models beside the baselines: CLIPS=folder MODELS="name path" WORKERS=2
# make bench   how fast everything is, side by side, in minutes; BENCH="speed --sizes 256"
# make reproduce  the experiments of the reports: DATA=folder [TEST=folder] [QUICK=1] [JOBS=2]
# make setup   the environment for all of it, in .venv; the other two make what they need of it
# Any Python from 3.12 up will do; PYTHON=/path/to/python names one.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup demo test test-long evaluate bench reproduce clean

CLIP := demo/clip.mp4
KEY := demo/key.png
MODEL :=
CLIPS := ../shared/clips/dev
WORKERS := 1
# The models that ship, and the reports' own systems, which do not.
SHIPPED := $(notdir $(patsubst %/,%,$(dir $(wildcard runtime/vidcolor/models/*/remember.float32.onnx))))
MODELS := $(SHIPPED) $(addprefix runs/reports/,supervised cgan-dt1 cgan-dt5)
BENCH :=
DATA :=
TEST :=
QUICK :=
JOBS := 1
PYTHON :=
export PYTHON
OURS := $(filter demo/clip.mp4,$(CLIP))

# vspipe finds the environment's VapourSynth by its place on the PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)

INSTALL := .venv/bin/python -m pip install --quiet --constraint constraints.txt --editable
# An editable install knows its modules by name: where one comes or goes, it is made anew.
NAMES := $(firstword $(shell find runtime vapoursynth_plugin -name '*.py' | LC_ALL=C sort | cksum))
LISTED := .venv/modules.$(NAMES)
PACKAGE := pyproject.toml constraints.txt $(LISTED) \
    $(wildcard vapoursynth_plugin/*.c vapoursynth_plugin/CMakeLists.txt)

setup: .venv/full.stamp

test: .venv/full.stamp
	ruff check .
	ruff format --check .
	mypy
	pytest

test-long: .venv/full.stamp
	pytest -m long

evaluate: .venv/full.stamp $(addsuffix /CARD.md,$(filter runs/reports/%,$(MODELS)))
	python -m training evaluate $(MODELS) --clips "$(CLIPS)" --out runs/evaluation \
	    --workers $(WORKERS)

runs/reports/%/CARD.md: training/checkpoints/%/weights.safetensors | .venv/full.stamp
	@mkdir -p runs/reports
	python -m export training/checkpoints/$* --output runs/reports/$* --overwrite

bench: .venv/full.stamp
	python -m benchmarks $(BENCH)

reproduce: .venv/full.stamp
	$(if $(DATA),,$(error make reproduce needs a folder of videos: DATA=folder))
	python -m training reproduce $(DATA) --out runs/reproduce --jobs $(JOBS) \
	    $(if $(TEST),--test "$(TEST)") $(if $(QUICK),--quick)

demo: .venv/demo.stamp $(if $(OURS),demo/clip.mp4)
	$(if $(OURS)$(filter-out demo/key.png,$(KEY)),,$(error make demo CLIP=... needs its first frame in colour too: KEY=first.png))
	@mkdir -p demo
	vidcolor color "$(CLIP)" --key "$(KEY)" --output demo/coloured.mp4 --overwrite \
	    $(if $(MODEL),--model "$(MODEL)")
	vspipe --container y4m --arg "clip=$(CLIP)" --arg "key=$(KEY)" \
	    $(if $(MODEL),--arg "model=$(MODEL)") examples/propagate.vpy - \
	    | python examples/encode_y4m.py --like "$(CLIP)" --output demo/coloured-vspipe.mp4
	python examples/before_after.py "$(CLIP)" demo/coloured.mp4 --output demo/before-after.png \
	    $(if $(OURS),--truth demo/truth.mp4)
	@printf '\ncoloured by vidcolor:     %s\n' "$(CURDIR)/demo/coloured.mp4"
	@printf 'coloured through vspipe:  %s\n' "$(CURDIR)/demo/coloured-vspipe.mp4"
	@printf 'before and after:         %s\n' "$(CURDIR)/demo/before-after.png"

demo/clip.mp4: examples/render_demo.py | .venv/demo.stamp
	python examples/render_demo.py demo

.venv/bin/python:
	python=$$(.ci/find-python) && "$$python" -m venv .venv
	.venv/bin/python -m pip install --quiet --upgrade pip

$(LISTED): | .venv/bin/python
	rm -f .venv/modules.*
	touch $@

# What the demo needs, without torch.
.venv/demo.stamp: $(PACKAGE) | .venv/bin/python
	@echo "setting up .venv: the runtime and VapourSynth"
	$(INSTALL) '.[cpu,vapoursynth,demo]'
	touch $@

# Everything. The smaller set is part of it, so its stamp follows.
.venv/full.stamp: $(PACKAGE) | .venv/bin/python
	@echo "setting up .venv: everything, with PyTorch; this downloads several gigabytes once"
	$(INSTALL) '.[cpu,vapoursynth,train,test]'
	touch .venv/demo.stamp $@

clean:
	rm -rf .venv build demo
