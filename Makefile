# `make demo` shows a whole login on this machine, `make test` proves the parts. Both set up what they need.
.PHONY: demo test lint interop ci

PYTEST = .venv/bin/python -m pytest

demo:
	@tools/setup run
	@.venv/bin/radius-push demo

test:
	@tools/setup test
	$(PYTEST)

lint:
	@tools/setup test
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy

# The slow suites: real VPN servers and browsers, in network namespaces of their own (root).
interop:
	@tools/setup ci
	$(PYTEST) -m slow

ci:
	.ci/run
