#!/usr/bin/env bash
# check_isa.sh BUILD_DIR: object files of our own sources may use wide registers (ymm, zmm) only if their
# source is named *_avx2.cc or *_avx512.cc, and those may define no weak symbol: the linker could choose
# such a copy of an inline function for code that runs on every machine.
set -euo pipefail
build=${1:?usage: check_isa.sh BUILD_DIR}
[ -d "$build/src" ] || { echo "check_isa: no $build/src" >&2; exit 1; }
checked=0
bad=0
while IFS= read -r -d '' object; do
  checked=$((checked + 1))
  case $object in
    *_avx2.cc.o | *_avx512.cc.o)
      weak=$(nm "$object" | awk '$2 ~ /^[WVu]$/ || $1 ~ /^[WVu]$/ { print $NF }' | head -n 5)
      if [ -n "$weak" ]; then
        echo "$object: weak symbols compiled for one instruction set: ${weak//$'\n'/ }"
        bad=1
      fi
      ;;
    *)
      wide=$(objdump -d --no-show-raw-insn "$object" | awk '/^[0-9a-f]+ </ { f = $2 } /%[yz]mm[0-9]/ { print f }' | sort -u | head -n 5)
      if [ -n "$wide" ]; then
        echo "$object: wide registers in baseline code: ${wide//$'\n'/ }"
        bad=1
      fi
      ;;
  esac
done < <(find "$build/src" -name '*.cc.o' -print0)
[ "$checked" -gt 0 ] || { echo "check_isa: no object files in $build/src" >&2; exit 1; }
[ "$bad" -eq 0 ] && echo "check_isa: $checked object files are as they should be"
exit "$bad"
