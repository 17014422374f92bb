#!/usr/bin/env bash
# Installs the build, builds user programs against the installed package by find_package and by pkg-config,
# and runs them from elsewhere.
#   install_test.sh BUILD
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
build=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cmake --install "$build" --prefix "$work/prefix" >"$work/install.log"
mv "$work/prefix" "$work/moved"  # the package must be relocatable
prefix=$work/moved

cmake -G Ninja -S "$here" -B "$work/user" -DCMAKE_PREFIX_PATH="$prefix" -DCMAKE_BUILD_TYPE=Release >"$work/configure.log"
cmake --build "$work/user" >"$work/build.log"
cd /
[ "$("$work/user/user" "$work/db")" = "rows 100 best 42" ]
[ "$("$work/user/user_reader" "$work/db/t.lance")" = "versions 1 rows 100 streamed 50" ]

PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name glaive.pc)")
export PKG_CONFIG_PATH
# shellcheck disable=SC2046
g++ -std=c++20 "$here/user.cc" -o "$work/user_pc" $(pkg-config --cflags --libs glaive)
[ "$("$work/user_pc" "$work/db2")" = "rows 100 best 42" ]
# shellcheck disable=SC2046
gcc "$here/user_reader.c" -o "$work/reader_pc" $(pkg-config --cflags --libs glaive_reader)
[ "$("$work/reader_pc" "$work/db2/t.lance")" = "versions 1 rows 100 streamed 50" ]
[ "$("$prefix/bin/glaive" count "$work/db" t)" = 100 ]
# The small reader must not pull in threads of its own, the network, or the stores.
if nm -DC --defined-only "$prefix"/lib/libglaive_reader.so | grep -qE 'glaive::(db|query|write|cli)::'; then
  echo "libglaive_reader holds rooms above table" >&2
  exit 1
fi
# Neither library exports a name that is not ours.
for library in libglaive.so libglaive_reader.so; do
  if nm -DC --defined-only "$prefix/lib/$library" | cut -d' ' -f3- |
      grep -vE '^((typeinfo|typeinfo name|vtable) for )?glaive::|^glaive_'; then
    echo "$library exports the names above" >&2
    exit 1
  fi
done
echo "1 passed, 0 failed"
