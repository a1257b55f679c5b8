#!/usr/bin/env bash
# From photos to models/lite/lite.onnx, and its figures: `DATA=folder runs/lite.sh`; ship.sh says what DATA holds.
# The face score learns from the errors of the shipped detector: to change both, run runs/detector.sh first.
source "$(dirname "$0")/ship.sh"
ship lite --photos "$DATA/faces68/train" --nonfaces "$DATA/nonfaces" --detector models/detector/detector.onnx
