#!/usr/bin/env bash
# From photos to models/lite/lite.onnx, and its figures: `DATA=folder runs/lite.sh`; ship.sh says what DATA holds.
# The face score learns from the errors of the shipped detector: to change both, run runs/detector.sh first.
source "$(dirname "$0")/ship.sh"
faces=(--photos "$DATA/faces68/train" --nonfaces "$DATA/nonfaces" --detector models/detector/detector.onnx)
# What the labelled faces teach; then it goes on with the faces that nobody labelled, and is its own teacher there.
train lite_teacher "${faces[@]}"
train lite "${faces[@]}" --unlabelled "$DATA/chips" \
  --teacher out/lite_teacher/model.onnx --start out/lite_teacher/checkpoint.safetensors
ship lite
