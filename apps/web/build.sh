#!/usr/bin/env bash
# From Rust to `dist/`: the npm package (`dist/lineament`) and around it the page. Needs the target wasm32-unknown-unknown,
# wasm-bindgen, and `npm ci` in this folder.
# WASM_TOOLCHAIN names another toolchain that has the target.
set -euo pipefail
cd "$(dirname "$0")"
root=../..

version=$(sed -n 's/^wasm-bindgen = .*"=\([0-9.]*\)".*/\1/p' $root/crates/lineament-web/Cargo.toml)
wasm-bindgen --version 2>/dev/null | grep -qF "$version" || {
  echo "wasm-bindgen $version is missing: cargo install wasm-bindgen-cli --version $version" >&2
  exit 1
}

RUSTFLAGS="-C target-feature=+simd128" cargo ${WASM_TOOLCHAIN:+"+$WASM_TOOLCHAIN"} build --manifest-path $root/Cargo.toml \
  --locked --profile web -p lineament-web --target wasm32-unknown-unknown
target=${CARGO_TARGET_DIR:-$root/target}

# Everything is built in a new folder, which takes the place of `dist` at the end.
new=dist.new
rm -rf $new && mkdir -p $new/lineament
wasm-bindgen --target web --omit-default-module-path --no-typescript --remove-name-section --remove-producers-section \
  --out-name core --out-dir $new/core \
  "$target/wasm32-unknown-unknown/web/lineament_web.wasm"
mv $new/core/core_bg.wasm $new/lineament/lineament.wasm

# One module out of the package's own and the generated one.
cp package/*.js $new/core/
npx esbuild $new/core/lineament.js --bundle --minify --format=esm --target=es2022 --log-level=warning \
  --outfile=$new/lineament/lineament.js
rm -rf $new/core

cp package/node.js package/package.json package/README.md $root/LICENSE-MIT $root/LICENSE-APACHE $new/lineament/
# The comments say where figures come from; they are for the repository.
sed 's/<!-- [^>]* -->//g' $root/models/detector/CARD.md $root/models/lite/CARD.md > $new/lineament/MODELS.md
node tools/types.mjs package/lineament.d.ts $new/lineament/lineament.d.ts

cp -r page/. $new/
cp $root/testdata/astronaut.jpg $new/sample.jpg
node tools/offline.mjs $new

rm -rf dist && mv $new dist
gzip -9 -c dist/lineament/lineament.wasm | wc -c | xargs printf 'lineament.wasm: %s bytes gzipped\n'
