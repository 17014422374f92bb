#!/usr/bin/env bash
# Cross-compiles the kernels and their tests for 64-bit ARM and runs them in an emulator, then looks
# whether the hot loops are made of NEON instructions. Nothing of Arrow is needed for it. Skipped (exit
# code 77) where the packages are absent:
#   apt-get install g++-aarch64-linux-gnu qemu-user googletest
#   tools/test_aarch64.sh [DIRECTORY for objects, default build-aarch64]
set -euo pipefail
cd "$(dirname "$0")/.."
out=${1:-build-aarch64}
gtest=${GTEST_SOURCE:-/usr/src/googletest/googletest}
cxx=${AARCH64_CXX:-aarch64-linux-gnu-g++}
emulator=$(command -v qemu-aarch64 || command -v qemu-aarch64-static || true)
objdump=${cxx%g++}objdump

missing() { echo "skipped: no $1 (apt-get install $2)"; exit 77; }
command -v "$cxx" >/dev/null || missing "$cxx" g++-aarch64-linux-gnu
[ -n "$emulator" ] || missing qemu-aarch64 qemu-user
[ -f "$gtest/src/gtest-all.cc" ] || missing "sources of googletest in $gtest" googletest

mkdir -p "$out"
flags=(-std=c++20 -Wall -Wextra -Wno-unused-parameter -Werror -Iinclude -Isrc)
compile() {  # object, source, options: only what is newer than its object
  if [ ! -f "$out/$1" ] || [ -n "$(find src/kernels "$2" -newer "$out/$1" -print -quit)" ]; then
    "$cxx" "${flags[@]}" "${@:3}" -c "$2" -o "$out/$1"
  fi
}
for name in gtest-all gtest_main; do
  [ -f "$out/$name.o" ] ||
    "$cxx" -std=c++20 -O1 -I"$gtest" -I"$gtest/include" -c "$gtest/src/$name.cc" -o "$out/$name.o"
done
for name in cpu fastlanes distance; do compile $name.o src/kernels/$name.cc -O2; done
# The flags of src/kernels/CMakeLists.txt.
for name in fastlanes_scalar distance_scalar; do
  compile $name.o src/kernels/$name.cc -O2 -fno-math-errno -ffp-contract=fast
done
for name in fastlanes_test distance_test; do
  compile $name.o src/kernels/$name.cc -O1 -isystem "$gtest/include"
done
"$cxx" -static "$out"/{cpu,fastlanes,distance,fastlanes_scalar,distance_scalar}.o \
  "$out"/{fastlanes_test,distance_test,gtest-all,gtest_main}.o -pthread -o "$out/kernels_test"
echo "== kernels_test on aarch64"
"$emulator" "$out/kernels_test" --gtest_brief=1

echo "== vector instructions"
failed=0
expect() {  # object, mnemonic with arrangement, at least so many
  local found
  found=$("$objdump" -d --no-show-raw-insn "$out/$1" | grep -cE "[[:space:]]$2" || true)
  printf '  %-20s %-38s %6d\n' "$1" "$2" "$found"
  [ "$found" -ge "$3" ] || { echo "  expected at least $3"; failed=1; }
}
expect distance_scalar.o 'fmla[[:space:]]+v[0-9]+\.4s' 100   # f32 and f16
expect distance_scalar.o 'fmla[[:space:]]+v[0-9]+\.2d' 50    # f64
expect distance_scalar.o 'umull2?[[:space:]]+v' 50           # u8
expect distance_scalar.o 'uabd[[:space:]]+v' 10              # u8, l2
expect distance_scalar.o 'cnt[[:space:]]+v' 4                # bits
expect fastlanes_scalar.o '(ushr|shl|orr|and)[[:space:]]+v' 5000
exit $failed
