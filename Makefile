# Everything one does with Lockgate from a fresh clone, on Debian 12. `make help` tells what there is.
SHELL := /bin/bash
.ONESHELL:
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

JOBS ?= $(shell nproc)
PREFIX ?= /usr/local
FUZZ_SECONDS ?= 60
REPORTS := $(CURDIR)/build/reports
PROGRAMS := LOCKGATE=$(CURDIR)/build/release/lockgate LOCKGATE_ASAN=$(CURDIR)/build/dev/lockgate
# Named in full: another python3 in front of it on the PATH would not see Debian's packages.
PYTEST := /usr/bin/python3 -m pytest -p no:cacheprovider

# Two installations at once would only wait for each other, and ninja uses all cores by itself.
.NOTPARALLEL:

.PHONY: help
help: ## this list
	@sed -nE 's/^([a-z-]+):.*## (.*)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 18

.PHONY: setup-build setup-test setup-bench
setup-build setup-test setup-bench: setup-%:
	@scripts/setup $*

.PHONY: build
build: setup-build ## compile build/release/lockgate
	cmake --preset release >/dev/null
	ninja -C build/release -j $(JOBS)

.PHONY: run
run: build ## a demonstration: https://localhost:8443 and http://localhost:8080, with an origin of its own
	build/release/lockgate quickstart

.PHONY: test
test: test-unit test-threads test-system ## all tests: units under sanitizers, then the program beside real peers

.PHONY: build-dev
build-dev: setup-test
	cmake --preset dev >/dev/null
	ninja -C build/dev -j $(JOBS)

.PHONY: test-unit
test-unit: build-dev
	mkdir -p $(REPORTS)
	ctest --test-dir build/dev --parallel $(JOBS) --output-on-failure --output-junit $(REPORTS)/unit.xml

# Only what has threads or lives beside them is worth the second build. ThreadSanitizer has a thread of its own, where
# privileges and the sandbox are settled while there is only one.
.PHONY: test-threads
test-threads: setup-test
	cmake --preset tsan >/dev/null
	programs=$$(ninja -C build/tsan -t targets all | sed -nE 's/^((loop|net|guard|server)_test): .*/\1/p' | sort -u)
	if [ -z "$$programs" ]; then exit 0; fi
	ninja -C build/tsan -j $(JOBS) $$programs
	for program in $$programs; do
	  build/tsan/$$program --gtest_brief=1 --gtest_filter='-Privileges*:*Sandbox*' \
	    --gtest_output=xml:$(REPORTS)/threads_$$program.xml || failed=1
	done
	exit $${failed:-0}

# Most of them wait for something. The tests of one file are run one after the other.
.PHONY: test-system
test-system: build build-dev
	$(PROGRAMS) $(PYTEST) -n $(JOBS) --dist loadfile tests/system --junitxml=$(REPORTS)/system.xml

.PHONY: soak
soak: FUZZ_SECONDS := 600
soak: soak-system fuzz ## the long tests, and ten minutes of each fuzz target

.PHONY: soak-system
soak-system: build build-dev
	LOCKGATE_SOAK=1 $(PROGRAMS) $(PYTEST) tests/soak

.PHONY: fuzz
fuzz: setup-test ## each fuzz target for FUZZ_SECONDS (60); SUBJECT=name for one
	cmake --preset fuzz >/dev/null
	ninja -C build/fuzz -j $(JOBS)
	scripts/fuzz $(FUZZ_SECONDS) $(SUBJECT)

.PHONY: bench
bench: setup-bench build ## Lockgate beside its peers
	bench/run

.PHONY: check
check: setup-test ## format, floors, headers, sizes, clang-tidy
	scripts/check --report $(REPORTS)/check.xml

.PHONY: install
install: build ## the program, its manual and systemd units, under PREFIX (/usr/local)
	cmake --install build/release --prefix $(PREFIX)
	install -D -m 644 docs/lockgate.8 $(DESTDIR)$(PREFIX)/share/man/man8/lockgate.8
	install -D -m 644 -t $(DESTDIR)$(PREFIX)/lib/systemd/system packaging/systemd/lockgate.{service,socket}

.PHONY: clean
clean: ## remove build/
	rm -rf build
