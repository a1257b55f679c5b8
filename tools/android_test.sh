#!/bin/sh
# `make android-test`: the app's library, as the package holds it, in the linker and the C library of a real Android.
# ANDROID_SYSTEM is a folder with x86_64 and arm64, each with linker64, libc.so, libm.so, libdl.so, liblog.so,
# libc++.so; see docs/android.md. arm64 runs under qemu-aarch64. The variables of tools/android.sh say how to build.
set -eu
cd "$(dirname "$0")/.."
if [ ! -d "${ANDROID_SYSTEM:-}" ]; then
  echo "android-test is skipped: ANDROID_SYSTEM names no folder with parts of an Android system; see docs/android.md"
  exit 0
fi
system=$(cd "$ANDROID_SYSTEM" && pwd)
CARGO=${CARGO:-cargo}
app=$PWD/crates/lineament-android
target_dir=${CARGO_TARGET_DIR:-$PWD/target}
out=$target_dir/android-test
rm -rf "$out"
mkdir -p "$out"

"$CARGO" build -q -p lineament-android --example desk
desk=$target_dir/debug/examples/desk
"$desk" film "$out/film.y4m"
"$desk" play "$out/film.y4m" "$out/files" "$out/desk"
mv "$out/files" "$out/desk-files"

# run ABI TARGET FRAMES [EMULATOR]
run() {
  abi=$1 target=$2 frames=$3 emulator=${4:-}
  if [ ! -x "$system/$abi/linker64" ]; then
    echo "android-test: $abi is skipped: $system/$abi/linker64 is missing"
    return
  fi
  libraries=$ANDROID_LIBS/$target
  library=$target_dir/$target/android/liblineament_android.so
  [ -e "$library" ] || { echo "$library is missing: make android" >&2; exit 1; }
  ANDROID_STUBS=$libraries rustc ${ANDROID_TOOLCHAIN:+"+$ANDROID_TOOLCHAIN"} --edition 2024 --target "$target" \
    -C panic=abort -C opt-level=2 -C linker="$ANDROID_LINKER" -C link-arg=-Wl,--export-dynamic \
    -C link-arg=-Wl,--dynamic-linker="$system/$abi/linker64" -A warnings -o "$out/host-$abi" \
    "$app/system/host/main.rs"
  # The system's own libraries first; the linker's stand-ins for those that are not there, whose functions the host has.
  mkdir -p "$out/lib-$abi"
  for name in android camera2ndk mediandk; do cp "$libraries/lib$name.so" "$out/lib-$abi/"; done
  rm -rf "$out/files"
  begin=$(date +%s)
  # shellcheck disable=SC2086
  env LD_LIBRARY_PATH="$system/$abi:$out/lib-$abi" $emulator "$out/host-$abi" "$library" "$app/system/play.txt" \
    "$out/film.y4m" "$out/files" "$out/$abi" "$frames"
  mv "$out/files" "$out/$abi-files"
  "$desk" compare "$out/desk" "$out/$abi"
  echo "$abi: passed in $(($(date +%s) - begin)) seconds"
}

run x86_64 x86_64-linux-android "${ANDROID_FRAMES:-10000}"
if [ "$(uname -m)" = aarch64 ]; then
  run arm64 aarch64-linux-android "${ANDROID_FRAMES:-10000}"
elif command -v qemu-aarch64 >/dev/null; then
  run arm64 aarch64-linux-android "${ANDROID_FRAMES_EMULATED:-500}" qemu-aarch64
else
  echo "android-test: arm64 is skipped: qemu-aarch64 is missing"
fi
