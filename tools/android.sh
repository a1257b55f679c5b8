#!/bin/sh
# The Android app: `tools/android.sh build` makes target/apk/lineament-*.apk, `tools/android.sh check` checks what was
# made. `make android` calls both. For people; `cargo ndk` builds the same library, see docs/android.md.
#
# Needed: the Rust targets, a linker for them with the system's libraries of API 26, and aapt, apksigner and keytool
# (Debian: apt install aapt apksigner android-framework-res openjdk-17-jre-headless). The linker is
#   - that of the NDK in ANDROID_NDK_HOME, or
#   - the program ANDROID_LINKER, for which ANDROID_LIBS has a folder of libraries per target.
# ANDROID_TOOLCHAIN names a toolchain that has the targets, where `rustup target add` cannot work.
# ANDROID_KEYSTORE (password in ANDROID_KEYSTORE_PASSWORD) signs; without it a key for debugging is made once.
set -eu
cd "$(dirname "$0")/.."
CARGO=${CARGO:-cargo}
FRAMEWORK=${ANDROID_FRAMEWORK:-/usr/share/android-framework-res/framework-res.apk}
target_dir=${CARGO_TARGET_DIR:-$PWD/target}
out=$target_dir/apk
# What a package may weigh, with both models inside.
MOST_BYTES=4000000
ABIS="arm64-v8a x86_64"

target_of() {
  case $1 in arm64-v8a) echo aarch64-linux-android ;; *) echo x86_64-linux-android ;; esac
}

# libraries TARGET: the folder of the system's libraries.
libraries() {
  if [ -n "${ANDROID_NDK_HOME:-}" ]; then
    echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/sysroot/usr/lib/"$1"/26
  else
    echo "${ANDROID_LIBS:?names the folder of the libraries, or set ANDROID_NDK_HOME}/$1"
  fi
}

linker() {
  if [ -n "${ANDROID_NDK_HOME:-}" ]; then
    echo "$ANDROID_NDK_HOME"/toolchains/llvm/prebuilt/*/bin/"$1"26-clang
  else
    echo "${ANDROID_LINKER:?is the linker, or set ANDROID_NDK_HOME}"
  fi
}

# The same bytes wherever the sources lie.
flags="--remap-path-prefix=$PWD=. --remap-path-prefix=${CARGO_HOME:-$HOME/.cargo}=cargo"
flags="$flags -D warnings -C link-arg=-Wl,-z,max-page-size=16384"

library() { # ABI
  target=$(target_of "$1")
  name=$(echo "$target" | tr 'a-z-' 'A-Z_')
  env "CARGO_TARGET_${name}_LINKER=$(linker "$target")" ANDROID_STUBS="$(libraries "$target")" RUSTFLAGS="$flags" \
    "$CARGO" ${ANDROID_TOOLCHAIN:+"+$ANDROID_TOOLCHAIN"} rustc -p lineament-android --lib --crate-type cdylib \
    --profile android --target "$target"
}

build() {
  mkdir -p "$out"
  "$CARGO" build -q -p lineament-android --bin apk
  version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
  # 0.1.0 is 100: each part has two digits.
  code=$(echo "$version" | awk -F. '{ print $1 * 10000 + $2 * 100 + $3 }')
  aapt package -f -M crates/lineament-android/app/AndroidManifest.xml -S crates/lineament-android/app/res \
    -I "$FRAMEWORK" --version-name "$version" --version-code "$code" -F "$out/resources.apk"
  keystore=${ANDROID_KEYSTORE:-$out/debug.keystore}
  password=${ANDROID_KEYSTORE_PASSWORD:-android}
  [ -e "$keystore" ] || keytool -genkeypair -keystore "$keystore" -storepass "$password" -alias debug -keyalg RSA \
    -keysize 2048 -validity 10000 -dname "CN=Lineament debug" 2>/dev/null
  for abi in $ABIS; do
    library "$abi"
    apk=$out/lineament-$abi.apk
    "$target_dir/debug/apk" pack "$out/resources.apk" "$out/unsigned.apk" \
      "lib/$abi/liblineament_android.so=$target_dir/$(target_of "$abi")/android/liblineament_android.so"
    apksigner sign --ks "$keystore" --ks-pass "pass:$password" --min-sdk-version 26 --v1-signing-enabled false \
      --v2-signing-enabled true --v3-signing-enabled true --v4-signing-enabled false --out "$apk" "$out/unsigned.apk"
    rm "$out/unsigned.apk"
    echo "$apk"
  done
}

# expect TEXT WORDS: whether the text has these words.
expect() {
  case $1 in *"$2"*) ;; *) echo "missing: $2" >&2; printf '%s\n' "$1" >&2; exit 1 ;; esac
}

check() {
  for abi in $ABIS; do
    apk=$out/lineament-$abi.apk
    "$target_dir/debug/apk" check "$apk" "$(libraries "$(target_of "$abi")")" "$MOST_BYTES"
    signature=$(apksigner verify --verbose --min-sdk-version 26 "$apk")
    expect "$signature" "Verified using v2 scheme (APK Signature Scheme v2): true"
    expect "$signature" "Verified using v3 scheme (APK Signature Scheme v3): true"
    badging=$(aapt dump badging "$apk")
    expect "$badging" "package: name='org.lineament.live'"
    expect "$badging" "sdkVersion:'26'"
    expect "$badging" "targetSdkVersion:'36'"
    expect "$badging" "uses-permission: name='android.permission.CAMERA'"
    expect "$badging" "application-label:'Lineament'"
    expect "$badging" "icon='res/mipmap-anydpi-v26/icon.xml'"
    expect "$badging" "launchable-activity: name='android.app.NativeActivity'"
    expect "$badging" "native-code: '$abi'"
    [ "$(printf '%s\n' "$badging" | grep -c '^uses-permission:')" = 1 ] || { echo "more permissions than one" >&2; exit 1; }
  done
}

# Builds the packages a second time from the same libraries and compares the bytes.
reproducible() {
  for abi in $ABIS; do mv "$out/lineament-$abi.apk" "$out/first-$abi.apk"; done
  build >/dev/null
  for abi in $ABIS; do
    cmp "$out/first-$abi.apk" "$out/lineament-$abi.apk"
    rm "$out/first-$abi.apk"
  done
  echo "built twice: the same bytes"
}

case ${1:-} in
  build) build ;;
  check) check && reproducible ;;
  *) echo "usage: tools/android.sh build|check" >&2; exit 2 ;;
esac
