#!/usr/bin/env bash
# From photos to models/lite/lite.onnx, and its figures: `DATA=folder runs/lite.sh`; ship.sh says what DATA holds.
#
# Larger networks learn from the labelled faces and place points on all others, and `lite` gets its first weights from both,
# on a GPU in about ten minutes (runs/gpu; needs: pip install torch pillow safetensors). Then it learns on, on the processor.
# The face score learns from the errors of the shipped detector, in a second run from those that the network of the first
# falls for as well, and in a third and fourth also from textures and nature (runs/textures.sh, 2.9 GB, Debian or Ubuntu), while more
# of each face is covered. To change the detector, too, run runs/detector.sh first.
source "$(dirname "$0")/ship.sh"
gpu=out/gpu
mkdir -p "$gpu"
# Where the faces without labels are: the earlier models say it.
for part in chips faces68/train; do
  table=$gpu/$(basename "$part").jsonl
  [ -f "$table" ] || { lineament run "$DATA/$part" --format json > "$table.part" && mv "$table.part" "$table"; }
done
lineament train --print-network lite > "$gpu/lite.json"
[ -f "$gpu/lite.safetensors" ] || python3 runs/gpu/teach.py --photos "$DATA/faces68/train" --others "$gpu/train.jsonl" \
  --unlabelled "$DATA/chips" --found "$gpu/chips.jsonl" --nonfaces "$DATA/nonfaces" --students "$gpu/lite.json" --out "$gpu"
data=(--photos "$DATA/faces68/train" --detector models/detector/detector.onnx --taught "$gpu/taught")
boxes=(--boxes "$DATA/faces68/boxes_train.csv")
train lite "${data[@]}" --nonfaces "$DATA/nonfaces" --start "$gpu/lite.safetensors"
train lite-mistakes "${data[@]}" "${boxes[@]}" --nonfaces "$DATA/nonfaces" --judge out/lite/model.onnx \
  --start out/lite/checkpoint.safetensors
nonfaces=out/nonfaces
if [ ! -d "$nonfaces" ]; then
  runs/textures.sh "$nonfaces.part"
  ln -s "$DATA/nonfaces/"* "$nonfaces.part"
  mv "$nonfaces.part" "$nonfaces"
fi
train lite-covered "${data[@]}" "${boxes[@]}" --nonfaces "$nonfaces" --judge out/lite-mistakes/model.onnx \
  --start out/lite-mistakes/checkpoint.safetensors
train lite-nature "${data[@]}" "${boxes[@]}" --nonfaces "$nonfaces" --judge out/lite-covered/model.onnx \
  --start out/lite-covered/checkpoint.safetensors
ship lite lite-nature
