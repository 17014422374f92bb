# make run     install what is missing, build, run the main job on the corpus in the repository
# make test    install what is missing, build, run every test
# make build   the tool at build/bin/glaive
# make bench   the benchmarks, side by side with LanceDB
JOBS ?= $(shell nproc)
export CCACHE_SLOPPINESS := pch_defines,time_macros,include_file_mtime,include_file_ctime

.PHONY: build run test bench asan tsan clean setup-build setup-test configure

setup-build:
	@tools/setup.sh build

setup-test:
	@tools/setup.sh test

configure:
	@test -f build/build.ninja || cmake --preset release >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }

build: setup-build configure
	@cmake --build build -j $(JOBS) --target glaive_tool

run: build
	@tools/main_job.sh

test: setup-test configure
	@cmake -S . -B build -DGLAIVE_TESTS=ON >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build build -j $(JOBS)
	@tools/run_tests.sh build

bench: setup-test configure
	@cmake -S . -B build -DGLAIVE_TESTS=ON -DGLAIVE_BENCH=ON >build/configure.log 2>&1 || { cat build/configure.log; exit 1; }
	@cmake --build build -j $(JOBS)
	@bench/run.sh

asan tsan:
	@tools/setup.sh test
	@cmake --preset $@ -DGLAIVE_TESTS=ON -DGLAIVE_DEPS_DIR=$(CURDIR)/build/deps >/dev/null
	@cmake --build build-$@ -j $(JOBS) --target unit_tests
	@tools/run_tests.sh build-$@ sanitizer

clean:
	rm -rf build build-dev build-asan build-clang build-tsan build-fuzz build-aarch64
