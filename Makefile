# make demo    colour the demo clip, or your own: make demo CLIP=clip.mp4 KEY=first.png [MODEL=...]
# make lint    linters and types; without PyTorch where it is not installed
# make test-runtime  tests of the library, the command and the filter, without PyTorch
# make docs    the documentation as a site, in build/site
# make wheel   source archive and wheel, in dist
# make test    all of these, as continuous integration runs them; COVERAGE=1 for test coverage
# make test-long  more of the same, which takes minutes
# make attack  damaged and wild inputs by the thousand: INPUTS=20000 [SEED=2] [JOBS=2]; faults are
#              kept in runs/attack
# make evaluate  our models beside the baselines: CLIPS=folder MODELS="name path" WORKERS=2;
#              without CLIPS, the folder dev of the one that VIDCOLOR_CLIPS names
# make bench   how fast everything is, side by side, in minutes; BENCH="speed --sizes 256"
# make reproduce  the experiments of the reports: DATA=folder [TEST=folder] [QUICK=1] [JOBS=2]
# make setup   the environment for all of it, in .venv; the other two make what they need of it
# Any Python from 3.12 up will do; PYTHON=/path/to/python names one.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.PHONY: setup lint test-runtime docs wheel demo test all-tests test-long attack evaluate bench \
    reproduce clean

CLIP := demo/clip.mp4
KEY := demo/key.png
MODEL :=
CLIPS :=
WORKERS := 1
# The models that ship, and the reports' own systems, which do not.
SHIPPED := $(notdir $(patsubst %/,%,$(dir $(wildcard runtime/vidcolor/models/*/remember.float32.onnx))))
MODELS := $(SHIPPED) $(addprefix runs/reports/,supervised cgan-dt1 cgan-dt5)
BENCH :=
DATA :=
TEST :=
QUICK :=
JOBS := 1
PROCESSES := 2
COVERAGE :=
INPUTS := 20000
SEED := 1
PYTHON :=
export PYTHON
OURS := $(filter demo/clip.mp4,$(CLIP))

# vspipe finds the environment's VapourSynth by its place on the PATH.
export PATH := $(CURDIR)/.venv/bin:$(PATH)
# Compiled modules are kept, also where the surroundings forbid it, as containers often do: the tests
# start hundreds of processes, and each would compile the same modules again.
export PYTHONDONTWRITEBYTECODE :=

INSTALL := .venv/bin/python -m pip install --quiet --constraint constraints.txt --editable
# An editable install knows its modules by name: where one comes or goes, it is made anew.
NAMES := $(firstword $(shell find runtime vapoursynth_plugin -name '*.py' | LC_ALL=C sort | cksum))
LISTED := .venv/modules.$(NAMES)
PACKAGE := pyproject.toml constraints.txt $(LISTED) \
    $(wildcard vapoursynth_plugin/*.c vapoursynth_plugin/CMakeLists.txt)

# Two processes share the tests, file by file; then more threads for one test only take turns.
PYTEST := OMP_NUM_THREADS=1 pytest --numprocesses $(PROCESSES) --dist loadfile --no-loadscope-reorder \
    $(if $(COVERAGE),--cov --cov-report term:skip-covered)
# Where PyTorch is not installed, its types are not there either.
TYPED := $(if $(wildcard .venv/full.stamp),,runtime/vidcolor vapoursynth_plugin/vsvidcolor)

setup: .venv/full.stamp

lint: .venv/runtime.stamp
	ruff check .
	ruff format --check .
	mypy $(TYPED)
	check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	check-jsonschema --builtin-schema vendor.github-issue-forms .github/ISSUE_TEMPLATE/bug.yml \
	    .github/ISSUE_TEMPLATE/colours.yml

test-runtime: .venv/runtime.stamp
	$(PYTEST) tests/runtime tests/vapoursynth_plugin tests/toy

docs: .venv/docs.stamp
	NO_MKDOCS_2_WARNING=1 mkdocs build --strict

wheel: .venv/runtime.stamp
	rm -rf dist
	python -m pip wheel --no-deps --wheel-dir dist .
	python -m build --sdist --outdir dist .

# The site is built by a test (tests/test_pages.py), and so is the wheel. The linters need one core
# for a while, which the tests leave free where they wait.
test: .venv/full.stamp
	+$(MAKE) --no-print-directory --jobs 2 lint all-tests

all-tests: .venv/full.stamp
	$(PYTEST)

test-long: .venv/full.stamp
	pytest -m long

attack: .venv/full.stamp
	python -m tests.attack --inputs $(INPUTS) --seed $(SEED) --jobs $(JOBS)

evaluate: .venv/full.stamp $(addsuffix /CARD.md,$(filter runs/reports/%,$(MODELS)))
	python -m evaluation $(MODELS) $(if $(CLIPS),--clips "$(CLIPS)") --out runs/evaluation \
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
	vspipe --container y4m --arg "clip=$$(realpath "$(CLIP)")" --arg "key=$$(realpath "$(KEY)")" \
	    $(if $(MODEL),--arg "model=$$([ ! -e "$(MODEL)" ] && echo "$(MODEL)" || realpath "$(MODEL)")") \
	    examples/propagate.vpy - \
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

# What the runtime's tests and the linters need, without torch.
.venv/runtime.stamp: $(PACKAGE) | .venv/bin/python
	@echo "setting up .venv: the runtime, its tests and the linters"
	$(INSTALL) '.[test-runtime]'
	touch .venv/demo.stamp $@

# What the site needs.
.venv/docs.stamp: $(PACKAGE) | .venv/bin/python
	@echo "setting up .venv: the runtime and the documentation"
	$(INSTALL) '.[test-runtime,evaluate,docs]'
	touch .venv/demo.stamp .venv/runtime.stamp $@

# Everything. The smaller sets are part of it, so their stamps follow.
.venv/full.stamp: $(PACKAGE) | .venv/bin/python
	@echo "setting up .venv: everything, with PyTorch; this downloads several gigabytes once"
	$(INSTALL) '.[test]'
	touch .venv/demo.stamp .venv/runtime.stamp .venv/docs.stamp $@

clean:
	rm -rf .venv build demo
