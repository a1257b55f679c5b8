#!/usr/bin/env bash
# The paper's experiment on photos that anybody can have: `DATA=folder runs/paper.sh [OUT]`.
# docs/paper.md explains it.
#
# DATA holds chips (UTKFace's aligned faces, in place of MORPH) and faces68/test (300-W's LFPW test
# part with .pts files). Needs: pip install dlib-bin face_recognition_models
# "opencv-python-headless<5" pillow. Started again it goes on. Two cores need about an hour and a
# half, `one` about 4 GiB.
#
# SCALE=small tries all of it in a few minutes: 300 chips, two epochs, the study of filters, too.
# Its figures mean nothing.
set -euo pipefail
DATA=$(cd "${DATA:?name the folder of the data: DATA=folder $0}" && pwd)
out=$(mkdir -p "${1:-out/paper}" && cd "${1:-out/paper}" && pwd)
scale=${SCALE:-full}
case $scale in small | full) ;; *) echo "SCALE is small or full, not $scale" >&2 && exit 2 ;; esac
cd "$(dirname "$0")/.."

lineament() { cargo run --quiet --release --locked -p lineament-cli -- "$@"; }
# Found, not imported: the package of the models imports a part of setuptools that no longer exists.
in_package() {
  python3 -c "import importlib.util as u, os; print(os.path.join(os.path.dirname(u.find_spec('$1').origin), '$2'))" ||
    { echo "pip install dlib-bin face_recognition_models 'opencv-python-headless<5' pillow" >&2 && exit 1; }
}
predictor=$(in_package face_recognition_models models/shape_predictor_68_face_landmarks.dat)
cascade=$(in_package cv2 data/haarcascade_frontalface_default.xml)

chips=$DATA/chips
if [ "$scale" = small ]; then
  chips=$out/small
  [ -d "$chips" ] || { # every 23rd, as the names begin with the age
    mkdir -p "$chips.part"
    find "$DATA/chips" -maxdepth 1 -name '*.jpg' | sort | awk 'NR % 23 == 0' | head -n 300 |
      xargs -d '\n' cp -t "$chips.part"
    mv "$chips.part" "$chips"
  }
fi

# dlib's boxes alone: OpenCV's cascade, which the paper asks where they fail, gives different boxes,
# and 6,668 chips are enough.
annotate() { # PHOTOS TABLE POINTS
  [ -f "$out/$2.boxes.csv" ] || python3 runs/dlib_boxes.py "$1" "$out/$2.boxes.csv"
  [ -f "$out/$2.parquet" ] || lineament annotate "$1" --out "$out/$2.parquet" \
    --detector "boxes:$out/$2.boxes.csv" --points "$3"
}
annotate "$chips" chips "dlib:$predictor"
annotate "$DATA/faces68/test" faces68_test pts # labelled by people
[ -d "$out/pictures" ] || python3 runs/paper_pictures.py testdata/astronaut.jpg "$out/pictures"

experiment() { # NAME OPTION...
  lineament experiment paper "$out/chips.parquet" --out "$out/$1" --shuffle --test "$out/faces68_test.parquet" \
    --cascade "$cascade" --pictures "$out/pictures" --frame testdata/astronaut.jpg \
    --training-data "UTKFace chips (non-commercial research only), points by dlib's shape predictor (300-W)" "${@:2}"
}
if [ "$scale" = small ]; then
  experiment small --epochs 2 --filters
  exit
fi
# The three networks at a scale that fits an afternoon, the recommended one at the scale of the
# paper, then the study of filters.
experiment three --rows 3000 --epochs 60
experiment basic300 --networks basic
experiment filters --networks basic --filters --rows 1500 --epochs 30
mkdir -p docs/reports
cp "$out/three/report.html" docs/reports/paper-three-networks.html
cp "$out/basic300/report.html" docs/reports/paper-basic-300-epochs.html
cp "$out/filters/report.html" docs/reports/paper-filters.html
