#!/usr/bin/env bash
# From photos to models/lite/lite.onnx, and its figures.
#
#   DATA=folder runs/lite.sh
#
# DATA holds faces68/train and faces68/test (photos with a .pts file beside each) and nonfaces (photos without faces).
# The run's folder is out/lite. Stop it with Ctrl-C; started again it goes on. A new model moves the points: look at
# what `REGENERATE=1 make test` changes, and write it into CHANGELOG.md and the card.
set -euo pipefail
DATA=$(cd "${DATA:?name the folder of the data: DATA=folder runs/lite.sh}" && pwd)
cd "$(dirname "$0")/.."
out=out/lite

lineament() { cargo run --quiet --release --locked -p lineament-cli -- "$@"; }

if [ -f "$out/checkpoint.safetensors" ]; then
  lineament train --out "$out" --resume
else
  config=$(mktemp)
  trap 'rm -f "$config"' EXIT
  commit=$(git rev-parse --short HEAD)
  git diff --quiet HEAD -- crates runs Cargo.lock || commit+=-dirty
  { echo "commit = \"$commit\""; cat runs/lite.toml; } > "$config"
  # The face score learns from the errors of the shipped detector: run runs/detector.sh first to change both.
  lineament train "$config" --out "$out" --photos "$DATA/faces68/train" --nonfaces "$DATA/nonfaces" \
    --detector models/detector/detector.onnx
fi

cp "$out/model.onnx" models/lite/lite.onnx
# The program is built anew with the file inside. 0.25 is the share of nonfaces that training keeps back.
lineament eval "$DATA/faces68/test" --nonfaces "$DATA/nonfaces" --holdout 0.25
