#!/usr/bin/env bash
# From photos to models/lite/lite.onnx, and its figures: `DATA=folder runs/lite.sh`; ship.sh says
# what DATA holds.
#
# Larger networks learn from the labelled faces and pseudo-label all others, and `lite` gets its
# first weights from both, on a GPU in about ten minutes (runs/gpu; needs Python 3.11 and: pip
# install torch pillow safetensors). Four runs on the processor follow. The face score learns from
# hard negatives: in the first run from all false detections of the shipped detector, later from
# those that the network of the run before takes for faces, too. The third and fourth run add
# textures and nature (runs/textures.sh, 2.9 GB, Debian or Ubuntu), and more of each face is
# covered. To change the detector, too, run runs/detector.sh first.
source "$(dirname "$0")/ship.sh"
gpu=out/gpu
mkdir -p "$gpu"
# The earlier models find the faces without labels.
for part in chips faces68/train; do
  table=$gpu/$(basename "$part").jsonl
  [ -f "$table" ] || { lineament run "$DATA/$part" --format json > "$table.part" && mv "$table.part" "$table"; }
done
lineament train --network-json lite > "$gpu/lite.json"
[ -f "$gpu/lite.safetensors" ] || python3 runs/gpu/pseudo_label.py --photos "$DATA/faces68/train" \
  --others "$gpu/train.jsonl" --unlabelled "$DATA/chips" --found "$gpu/chips.jsonl" --nonfaces "$DATA/nonfaces" \
  --students "$gpu/lite.json" --config runs/lite.toml --out "$gpu"
data=(--photos "$DATA/faces68/train" --detector models/detector/detector.onnx \
  --pseudo-labelled "$gpu/pseudo_labelled")
boxes=(--boxes "$DATA/faces68/boxes_train.csv")
train lite "${data[@]}" --nonfaces "$DATA/nonfaces" --start "$gpu/lite.safetensors"
train lite-hard-negatives "${data[@]}" "${boxes[@]}" --nonfaces "$DATA/nonfaces" --verifier out/lite/model.onnx \
  --start out/lite/checkpoint.safetensors
nonfaces=out/nonfaces
if [ ! -d "$nonfaces" ]; then
  runs/textures.sh "$nonfaces.part"
  ln -s "$DATA/nonfaces/"* "$nonfaces.part"
  mv "$nonfaces.part" "$nonfaces"
fi
train lite-covered "${data[@]}" "${boxes[@]}" --nonfaces "$nonfaces" --verifier out/lite-hard-negatives/model.onnx \
  --start out/lite-hard-negatives/checkpoint.safetensors
train lite-nature "${data[@]}" "${boxes[@]}" --nonfaces "$nonfaces" --verifier out/lite-covered/model.onnx \
  --start out/lite-covered/checkpoint.safetensors
ship lite lite-nature
