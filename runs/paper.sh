#!/usr/bin/env bash
# The paper's experiment on photos that anybody can have: `DATA=folder runs/paper.sh [OUT]`. docs/paper.md explains it.
#
# DATA holds chips (UTKFace's aligned faces, in place of MORPH) and faces68/test (300-W's LFPW test part with .pts
# files). Needs: pip install dlib-bin face_recognition_models "opencv-python-headless<5" pillow. Started again it goes on.
# Two cores need about an hour and a half, `one` about 4 GiB.
set -euo pipefail
DATA=$(cd "${DATA:?name the folder of the data: DATA=folder $0}" && pwd)
out=$(mkdir -p "${1:-out/paper}" && cd "${1:-out/paper}" && pwd)
cd "$(dirname "$0")/.."

lineament() { cargo run --quiet --release --locked -p lineament-cli -- "$@"; }
in_package() { python3 -c "import $1, os; print(os.path.join(os.path.dirname($1.__file__), '$2'))"; }
predictor=$(in_package face_recognition_models models/shape_predictor_68_face_landmarks.dat)
cascade=$(in_package cv2 data/haarcascade_frontalface_default.xml)

# dlib's boxes alone: where they fail, OpenCV's cascade would cut another box, and 6,668 chips are enough.
for part in chips faces68/test; do
  table=$out/${part//\//_}
  [ -f "$table.boxes.csv" ] || python3 runs/dlib_boxes.py "$DATA/$part" "$table.boxes.csv"
  points=dlib:$predictor
  [ "$part" = chips ] || points=pts # people's own
  [ -f "$table.parquet" ] || lineament annotate "$DATA/$part" --out "$table.parquet" \
    --detector "boxes:$table.boxes.csv" --points "$points"
done
[ -d "$out/pictures" ] || python3 runs/paper_pictures.py testdata/astronaut.jpg "$out/pictures"

report=(--shuffle --test "$out/faces68_test.parquet" --cascade "$cascade"
  --pictures "$out/pictures" --frame testdata/astronaut.jpg
  --training-data "UTKFace chips (non-commercial research only), points by dlib's shape predictor (300-W)")
# The three networks at a scale that fits an afternoon, then the recommended one at the paper's.
lineament experiment paper "$out/chips.parquet" --out "$out/three" --rows 3000 --epochs 60 "${report[@]}"
lineament experiment paper "$out/chips.parquet" --out "$out/basic300" --networks basic "${report[@]}"
mkdir -p docs/reports
cp "$out/three/report.html" docs/reports/paper-three-networks.html
cp "$out/basic300/report.html" docs/reports/paper-basic-300-epochs.html
