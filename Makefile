# `make demo` shows a whole login on this machine, `make test` proves the parts. Both set up what they need.
.PHONY: demo test lint interop bench fuzz ci

PYTEST = .venv/bin/python -m pytest
# Tests start many processes of their own: what is compiled once need not be compiled by each.
export PYTHONDONTWRITEBYTECODE =

demo:
	@tools/setup run
	@.venv/bin/radius-push demo

test:
	@tools/setup test
	$(PYTEST) -n 3 --dist loadfile

lint:
	@tools/setup test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# The slow suites: real VPN servers and browsers, in network namespaces of their own (root).
interop:
	@tools/setup ci
	$(PYTEST) -m slow

# What one server does on this machine, beside FreeRADIUS and in browsers: about 5 minutes, `make bench ARGS=--quick` one.
bench:
	@tools/setup bench
	@.venv/bin/python -m benchmarks $(ARGS)

# Looks for packets that break a promise, guided by coverage, for so many minutes in all.
MINUTES = 10
fuzz:
	@tools/setup fuzz
	@.venv/bin/python -m tests.fuzz.guided --minutes $(MINUTES)
	@seed=$$(date +%N); echo "logins in any order, SEED=$$seed"; \
		SEED=$$seed $(PYTEST) -m slow -k steps_of_a_seed tests/scenarios/test_any_interleaving.py

ci:
	.ci/run
