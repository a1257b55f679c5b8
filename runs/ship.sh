# Functions for the scripts in this folder, which source this file. `train RUN FLAG...` trains
# runs/RUN.toml with these flags of `lineament train` in out/RUN. `ship NAME RUN` stores the run's
# model file as models/NAME/NAME.onnx (f16) and NAME.int8.onnx, which the library contains, and
# prints the figures of both shipped models together. It fails when a file loses more on the
# validation photos than `lineament quantize` accepts.
#
# DATA is a folder with faces68/train and faces68/test (photos, each with a .pts file),
# faces68/boxes_train.csv (a box for every face in the training photos), chips (photos with faces,
# without points) and nonfaces (photos without faces). Ctrl-C stops a run; started again it goes on.
# A new model moves the points: check the changes that `make regenerate` makes, and describe them in
# CHANGELOG.md and the card.
set -euo pipefail
DATA=$(cd "${DATA:?name the folder of the data: DATA=folder $0}" && pwd)
cd "$(dirname "$0")/.."

lineament() { cargo run --quiet --release --locked -p lineament-cli -- "$@"; }

train() {
  local name=$1 out=out/$1 config commit
  shift
  if [ -f "$out/checkpoint.safetensors" ]; then
    lineament train --out "$out" --resume
  else
    commit=$(git rev-parse --short HEAD)
    git diff --quiet HEAD -- crates runs Cargo.lock || commit+=-dirty
    config=$(mktemp)
    { echo "commit = \"$commit\""; cat "runs/$name.toml"; } > "$config"
    lineament train "$config" --out "$out" "$@"
    rm "$config"
  fi
}

ship() {
  # Measured on the photos that training holds back (`validation_share` of the .toml files).
  local data=(--data "$DATA/faces68/train" --validation 0.05)
  lineament quantize "out/$2/model.onnx" --to f16 "${data[@]}" --out "models/$1/$1.onnx"
  lineament quantize "out/$2/model.onnx" --to int8 "${data[@]}" --out "models/$1/$1.int8.onnx"
  # The program is built again with the new file inside. Training holds back a share of 0.25 of
  # nonfaces.
  lineament eval "$DATA/faces68/test" --nonfaces "$DATA/nonfaces" --holdout 0.25
}
