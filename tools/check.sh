#!/bin/sh
# `make check`: looks for the tools first, then runs every check that this machine can run. What it lacks is skipped with
# a line that says how to get it, and listed again at the end. REQUIRE_ALL=1 (as in .ci/run) makes a missing tool an error,
# except for the checks named in MAY_SKIP.
#
# POSIX sh and make 3.81 suffice, so that it runs on a Mac as well. MAKE, CARGO and the *_TOOLCHAIN variables come from
# the Makefile.
set -u
cd "$(dirname "$0")/.."
MAKE=${MAKE:-make}
CARGO=${CARGO:-cargo}

checks=
skipped=
forbidden=

have() { command -v "$1" >/dev/null 2>&1; }

# skip CHECK WHAT-IS HOW-TO-GET-IT
skip() {
  line="skipped: $1: $2 missing. $3"
  echo "$line"
  skipped="$skipped  $line
"
  case " ${MAY_SKIP:-} " in *" $1 "*) ;; *) forbidden=yes ;; esac
}

run() { checks="$checks $1"; }

# has_target TARGET [TOOLCHAIN]: whether the standard library for TARGET is installed.
has_target() {
  folder=$(rustc ${2:+"+$2"} --print target-libdir --target "$1" 2>/dev/null) && [ -d "$folder" ]
}

# node_from MAJOR: whether Node of at least this version is there.
node_from() {
  have node && [ "$(node --version | sed 's/^v\([0-9]*\).*/\1/')" -ge "$1" ]
}

if ! have "$CARGO"; then
  echo "Rust is missing: install it from https://rustup.rs" >&2
  exit 1
fi

if "$CARGO" fmt --version >/dev/null 2>&1; then run fmt; else skip fmt "rustfmt is" "rustup component add rustfmt"; fi
lints=yes
"$CARGO" clippy --version >/dev/null 2>&1 || { lints=; skip clippy "clippy is" "rustup component add clippy"; }
[ -z "$lints" ] || run clippy
if ! have "${CXX:-c++}"; then
  skip "tests of MP4" "a C++ compiler is" "Debian: apt install g++; macOS: xcode-select --install"
fi
run test
run doctest
run doc
[ -z "$lints" ] || run no-default-features
if have nm; then run inlined; else skip inlined "nm is" "Debian: apt install binutils; macOS: xcode-select --install"; fi

if has_target wasm32-unknown-unknown "${WASM_TOOLCHAIN:-}"; then
  run wasm-check
else
  skip wasm-check "the wasm target is" "rustup target add wasm32-unknown-unknown"
fi

if ! has_target wasm32-wasip1 "${WASI_TOOLCHAIN:-}"; then
  skip wasm-test "the WASI target is" "rustup target add wasm32-wasip1"
elif ! node_from 20; then
  skip wasm-test "Node 20 or newer is" "See https://nodejs.org"
else
  run wasm-test
fi

case $(uname -sm) in
  "Linux aarch64" | "Darwin arm64") echo "arm64-test: this is an arm64 machine, so \`test\` covers it" ;;
  *)
    if ! has_target aarch64-unknown-linux-gnu "${ARM64_TOOLCHAIN:-}"; then
      skip arm64-test "the arm64 target is" "rustup target add aarch64-unknown-linux-gnu"
    elif ! have aarch64-linux-gnu-gcc; then
      skip arm64-test "the linker for arm64 is" "Debian: apt install gcc-aarch64-linux-gnu libc6-dev-arm64-cross"
    elif ! have qemu-aarch64; then
      skip arm64-test "qemu-aarch64 is" "Debian: apt install qemu-user"
    else
      run arm64-test
    fi
    ;;
esac

if "$CARGO" +nightly miri --version >/dev/null 2>&1; then
  run miri
else
  skip miri "nightly Rust with Miri is" "rustup toolchain install nightly --component miri,rust-src"
fi

bindgen=$(sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' crates/lineament-web/Cargo.toml)
if ! has_target wasm32-unknown-unknown "${WASM_TOOLCHAIN:-}"; then
  skip web-test "the wasm target is" "rustup target add wasm32-unknown-unknown"
elif ! wasm-bindgen --version 2>/dev/null | grep -qF "$bindgen"; then
  skip web-test "wasm-bindgen $bindgen is" "cargo install wasm-bindgen-cli --version $bindgen --locked"
elif ! node_from 20 || ! have npm; then
  skip web-test "Node 20 or newer with npm is" "See https://nodejs.org"
elif ! have "${CHROMIUM:-/usr/bin/chromium}"; then
  skip web-test "Chromium is" "Debian: apt install chromium; elsewhere set CHROMIUM to its path"
else
  run web-test
fi

if ! has_target aarch64-linux-android "${ANDROID_TOOLCHAIN:-}" || ! has_target x86_64-linux-android "${ANDROID_TOOLCHAIN:-}"; then
  skip android "an Android target is" "rustup target add aarch64-linux-android x86_64-linux-android"
elif [ -z "${ANDROID_NDK_HOME:-}${ANDROID_LINKER:-}" ]; then
  skip android "a linker for Android is" "Install the NDK and set ANDROID_NDK_HOME"
elif ! have aapt || ! have apksigner || ! have keytool; then
  skip android "aapt, apksigner or keytool is" \
    "Debian: apt install aapt apksigner android-framework-res openjdk-17-jre-headless"
else
  run android
  if [ -d "${ANDROID_SYSTEM:-}" ]; then
    run android-test
  else
    echo "android-test: ANDROID_SYSTEM names no folder, so the app is not run; see docs/android.md"
  fi
fi

if [ -n "$forbidden" ] && [ "${REQUIRE_ALL:-}" = 1 ]; then
  echo "REQUIRE_ALL=1: nothing may be skipped, and nothing was run" >&2
  exit 1
fi

for check in $checks; do
  echo "== make $check"
  "$MAKE" --no-print-directory "$check" || { echo "make $check failed" >&2; exit 1; }
done
echo "passed:$checks"
[ -z "$skipped" ] || printf 'not run on this machine:\n%s' "$skipped"
