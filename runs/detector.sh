#!/usr/bin/env bash
# From photos to models/detector/detector.onnx, and its figures: `DATA=folder runs/detector.sh`; ship.sh says what DATA
# holds.
source "$(dirname "$0")/ship.sh"
train detector --photos "$DATA/faces68/train" --nonfaces "$DATA/nonfaces" --boxes "$DATA/faces68/boxes_train.csv"
ship detector detector
