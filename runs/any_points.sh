#!/usr/bin/env bash
# From photos with 68 points to a network of five points and one of 51, and their figures on the test part (EXPERIMENTS,
# "Any number of points"): `DATA=folder runs/any_points.sh`; ship.sh says what DATA holds. A quarter of an hour each on
# one core. The two networks are not shipped.
source "$(dirname "$0")/ship.sh"
for name in five ibug51; do
  train "$name" --photos "$DATA/faces68/train" --nonfaces "$DATA/nonfaces"
  lineament eval "$DATA/faces68/test" --model "out/$name/model.onnx"
  [ -f "out/$name/model.int8.onnx" ] ||
    lineament quantize "out/$name/model.onnx" --to int8 --data "$DATA/faces68/train" --validation 0.05
done
