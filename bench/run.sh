#!/usr/bin/env bash
# The benchmarks beside LanceDB; arguments go to bench.py (see there).
set -euo pipefail
cd "$(dirname "$0")/.."
exec build/deps/peers/bin/python bench/bench.py --write-docs "$@"
