# make help says what there is.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help run test lint bench lossless clean toolchain build-packages test-packages

# What the build needs beside Swift itself, and what the tests need beside the build.
BUILD_PACKAGES := ca-certificates git libnghttp2-dev libssl-dev pkg-config zlib1g-dev
BENCH_PACKAGES := gcc libc6-dev libnghttp2-dev libnginx-mod-nchan nginx openssl python3 strace
TEST_PACKAGES := chromium curl gcc libc6-dev libnginx-mod-nchan libnss3-tools nghttp2-client nginx node-eventsource openssl python3 python3-venv

# With CI in the environment the manifest turns warnings into errors. That changes every compiler call, so that a lint
# outside of CI builds in a folder of its own and leaves the developer's build alone.
LINT_BUILD := $(if $(CI),.build,.build-lint)

help: ## Say what there is.
	@echo "make TARGET, where TARGET is one of"
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  %-8s %s\n", $$1, $$2 }' Makefile

run: toolchain build-packages ## Build the gateway and start it on conf/sluice.yaml: live events on localhost.
	@echo "Building the gateway (about two minutes the first time, seconds later)"
	@swift build --configuration release --product sluice
	@.build/release/sluice cert
	@exec tools/run .build/release/sluice

test: toolchain build-packages test-packages .venv/installed ## Run every test: unit, tidy, and the built gateway with real clients.
	swift build --build-tests
	swift test --skip-build
	swift build --configuration release --product sluice
	.venv/bin/python -m pytest Tests/IntegrationTests

lint: toolchain build-packages ## Check the format, and build with warnings as errors.
	swift format lint --strict --parallel --recursive Package.swift Sources Tests $(wildcard Examples Benchmarks)
	CI=true swift build --build-tests --scratch-path $(LINT_BUILD)

bench: toolchain build-packages bench-packages ## Measure beside nchan and the least that C can do (half an hour).
	swift build --configuration release --product sluice
	Benchmarks/compare --sluice .build/release/sluice

lossless: toolchain build-packages bench-packages ## Prove that nothing is lost and that memory stays flat (eight minutes).
	swift build --configuration release --product sluice
	Benchmarks/lossless --sluice .build/release/sluice --self-test
	Benchmarks/lossless --sluice .build/release/sluice
	Benchmarks/lossless --sluice .build/release/sluice --gzip --largest 16384
	Benchmarks/lossless --sluice .build/release/sluice --protocol h2
	Benchmarks/lossless --sluice .build/release/sluice --protocol h2 --gzip --largest 16384
	Benchmarks/flat --sluice .build/release/sluice

clean: ## Remove what was built; certificates stay.
	rm -rf .build .build-lint .venv Examples/.build Examples/*/.build .pytest_cache
	find Tests -name __pycache__ -prune -exec rm -rf {} +

toolchain:
	@tools/toolchain

build-packages:
	@tools/packages "for the build" $(BUILD_PACKAGES)

bench-packages:
	@tools/packages "for the benchmarks" $(BENCH_PACKAGES)

test-packages:
	@tools/packages "for the tests" $(TEST_PACKAGES)

.venv/installed: Tests/IntegrationTests/requirements.txt | test-packages
	/usr/bin/python3 -m venv --clear .venv
	.venv/bin/pip install --quiet --disable-pip-version-check --requirement $<
	@touch $@
