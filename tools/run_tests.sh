#!/usr/bin/env bash
# Runs every test of a build directory: unit tests of each room (once more with the kernels forced to plain
# C++), the tool, the layers, the installed package, golden tables, and interop with the real LanceDB.
#   tools/run_tests.sh BUILD [quick|sanitizer]   quick leaves out interop and install, sanitizer all but
#                                                unit tests and fuzz targets
set -uo pipefail
cd "$(dirname "$0")/.."
build=$(cd "$1" && pwd)
what=${2:-all}

log=$build/test-logs
mkdir -p "$log"
rm -f "$log"/*.status

step() {  # name, command...
  local name=$1 start; shift
  start=$(date +%s)
  if "$@" >"$log/$name.log" 2>&1; then
    echo ok >"$log/$name.status"
    printf '  ok    %-22s %4ds  %s\n' "$name" $(($(date +%s) - start)) \
      "$(grep -hE '^[0-9]+ passed|tests passed' "$log/$name.log" | tail -n 1)"
  else
    echo failed >"$log/$name.status"
    printf '  FAIL  %-22s %4ds\n%s\n' "$name" $(($(date +%s) - start)) \
      "$(grep -vE '^\s*$|\[       OK|\[ RUN|WARN' "$log/$name.log" | tail -n 40 | cut -c1-400 | sed 's/^/        /')"
  fi
}

export GLAIVE_BIN=$build/bin/glaive
export GLAIVE_BUILD=$build
export GLAIVE_NODE_MODULES=$PWD/build/deps/npm/node_modules
export ASAN_OPTIONS=detect_leaks=1:detect_container_overflow=0:${ASAN_OPTIONS:-}
export LSAN_OPTIONS=suppressions=$PWD/tools/lsan.supp:print_suppressions=0
export UBSAN_OPTIONS=print_stacktrace=1:halt_on_error=1
export TSAN_OPTIONS=suppressions=$PWD/tools/tsan.supp:${TSAN_OPTIONS:-}
python=$PWD/build/deps/peers/bin/python

echo "tests of $build ($(nproc) cores)"
if [ "$what" = sanitizer ]; then
  # Arrow's own allocator hides from the sanitizers what its buffers hold.
  export ARROW_DEFAULT_MEMORY_POOL=system
  step unit ctest --test-dir "$build" --output-on-failure -j "$(nproc)" -R '_(test|fuzz)$'
else
  step unit ctest --test-dir "$build" --output-on-failure -j "$(nproc)"
fi
step unit-scalar env GLAIVE_CPU=scalar ctest --test-dir "$build" --output-on-failure -j "$(nproc)" -R '_test$'
if [ "$what" = all ]; then
  # Processes of the peers and of the tool take turns, so two suites at a time fill two cores.
  step interop-they-write "$python" tests/interop/they_write.py &
  step interop-we-write "$python" tests/interop/we_write.py &
  step interop-filters "$python" tests/interop/filters.py
  step interop-functions "$python" tests/interop/functions.py
  step interop-model "$python" tests/interop/model.py
  step golden "$python" tests/golden/golden_test.py
  step interop-search "$python" tests/interop/search.py
  step interop-search-scalar env GLAIVE_CPU=scalar "$python" tests/interop/search.py
  step interop-npm "$python" tests/interop/npm_test.py
  step install tests/install/install_test.sh "$build"
  wait
fi
passed=$(grep -lx ok "$log"/*.status | wc -l)
failed=$(grep -lx failed "$log"/*.status | wc -l)
echo "$passed passed, $failed failed"
[ "$failed" = 0 ] && [ "$passed" -gt 0 ]
