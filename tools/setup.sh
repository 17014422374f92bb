#!/usr/bin/env bash
# Installs what a build of Glaive needs and is missing: Debian packages, and, where the system has no
# Apache Arrow C++, the headers and libraries inside a pinned pyarrow wheel, put into the build tree.
#   tools/setup.sh build     what the library and the tool need
#   tools/setup.sh test      also the peers that the interop tests and benchmarks run
# Idempotent; prints nothing but a line for what it installs.
set -euo pipefail
cd "$(dirname "$0")/.."
what=${1:-build}
deps=${GLAIVE_DEPS_DIR:-$PWD/build/deps}
# shellcheck source=tools/versions.sh
. tools/versions.sh

packages=(build-essential cmake ninja-build ccache pkg-config python3 python3-pip python3-venv
          protobuf-compiler libprotobuf-dev liblz4-dev libzstd-dev libroaring-dev
          libxxhash-dev libpcre2-dev libssl-dev nlohmann-json3-dev libcli11-dev)
[ "$what" = test ] && packages+=(libgtest-dev libgmock-dev libbenchmark-dev binutils)

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ "${#missing[@]}" -gt 0 ]; then
  # Tools that came from elsewhere (a newer cmake, another python) are as good as Debian's.
  needed=()
  for package in "${missing[@]}"; do
    case "$package" in
      build-essential) command -v g++ >/dev/null && continue ;;
      cmake) command -v cmake >/dev/null && continue ;;
      ninja-build) command -v ninja >/dev/null && continue ;;
      pkg-config) command -v pkg-config >/dev/null && continue ;;
      python3) command -v python3 >/dev/null && continue ;;
      python3-pip) python3 -m pip --version >/dev/null 2>&1 && continue ;;
      python3-venv) python3 -c 'import ensurepip, venv' >/dev/null 2>&1 && continue ;;
      binutils) command -v objdump >/dev/null && continue ;;
    esac
    needed+=("$package")
  done
  if [ "${#needed[@]}" -gt 0 ]; then
    echo "setup: installing ${needed[*]}"
    sudo=""
    [ "$(id -u)" = 0 ] || sudo="sudo"
    $sudo apt-get update -qq
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "${needed[@]}" >/dev/null
  fi
fi

mkdir -p "$deps"
make_venv() {  # directory, stamp text, requirements...
  local dir=$1 stamp=$2; shift 2
  if [ "$(cat "$dir/stamp" 2>/dev/null)" != "$stamp" ]; then
    echo "setup: installing $* into the build tree"
    rm -rf "$dir"
    python3 -m venv "$dir"
    "$dir/bin/pip" install -q --disable-pip-version-check "$@"
    echo "$stamp" > "$dir/stamp"
  fi
}
if [ ! -f "$deps/system-arrow" ] && ! cmake --find-package -DNAME=Arrow -DCOMPILER_ID=GNU -DLANGUAGE=CXX -DMODE=EXIST >/dev/null 2>&1; then
  make_venv "$deps/arrow" "pyarrow==$PYARROW_VERSION" "pyarrow==$PYARROW_VERSION"
fi
if [ "$what" = test ]; then
  make_venv "$deps/peers" "$PEERS_PYTHON" $PEERS_PYTHON
  if command -v npm >/dev/null 2>&1; then
    if [ "$(cat "$deps/npm/stamp" 2>/dev/null)" != "$PEERS_NPM" ]; then
      echo "setup: installing $PEERS_NPM into the build tree"
      rm -rf "$deps/npm"; mkdir -p "$deps/npm"
      (cd "$deps/npm" && npm init -y >/dev/null && npm install --silent --no-fund --no-audit $PEERS_NPM >/dev/null)
      echo "$PEERS_NPM" > "$deps/npm/stamp"
    fi
  fi
fi
