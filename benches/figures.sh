#!/usr/bin/env bash
# Measures the figures that documents quote, and writes docs/figures: `DATA=folder benches/figures.sh [NAME...]`, where NAME
# is one of eval, truth, conditions, groups, steadiness, program. Without a name: all of them, some minutes on two cores.
#
# DATA holds faces68/test (photos of 300-W's LFPW test part with .pts files), nonfaces (photos without faces) and chips
# (UTKFace). Afterwards `REGENERATE=1 cargo test -p lineament-cli --test docs` puts the figures into the documents.
# LINEAMENT names a program to measure instead of the one that is built here.
#
# Two more are measured by scripts of their own, as they need other programs to compare with:
#   benches/peers/run.py --write              benches/peers/results.json
#   benches/training_speed.sh --json FILE     docs/figures/training.json
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD
figures=$root/docs/figures
names=("$@")
[ $# -gt 0 ] || names=(eval truth conditions groups steadiness program)

if [ -z "${LINEAMENT:-}" ]; then
  cargo build --release --quiet -p lineament-cli
  LINEAMENT=${CARGO_TARGET_DIR:-target}/release/lineament
fi
lineament=$(cd "$(dirname "$LINEAMENT")" && pwd)/$(basename "$LINEAMENT")

# json NAME COMMAND...: what COMMAND prints, once it has succeeded. In DATA, so that no path of this machine is stored.
json() {
  echo "$1" >&2
  (cd "${DATA:?name the folder of the data: DATA=folder $0}" && "${@:2}" --format json) > "$figures/$1.json.new"
  mv "$figures/$1.json.new" "$figures/$1.json"
}

# Size of the program and of a program with the library alone, stripped; one photo from start to exit: median of 21 runs.
program() {
  local small times=() begin memory
  small=$(mktemp)
  cargo build --release --quiet --no-default-features --manifest-path benches/peers/rust/Cargo.toml
  cp "${CARGO_TARGET_DIR:-benches/peers/rust/target}/release/peer" "$small"
  strip "$small"
  for _ in {1..21}; do
    begin=$EPOCHREALTIME
    "$lineament" run testdata/astronaut.jpg > /dev/null
    times+=("$(awk -v a="$begin" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f", 1000 * (b - a) }')")
  done
  memory=$( { /usr/bin/time -f %M "$lineament" run testdata/astronaut.jpg > /dev/null; } 2>&1)
  printf '{"program_bytes": %d, "library_bytes": %d, "run_ms": %s, "run_kib": %d}\n' \
    "$(wc -c < "$lineament")" "$(wc -c < "$small")" \
    "$(printf '%s\n' "${times[@]}" | sort -g | sed -n 11p)" "$memory" > "$figures/program.json"
  rm "$small"
}

mkdir -p "$figures"
for name in "${names[@]}"; do
  case $name in
    eval) json eval "$lineament" eval faces68/test --nonfaces nonfaces --holdout 0.25 --boxes ;;
    truth) json truth "$lineament" eval faces68/test --crop truth ;;
    conditions) json conditions "$lineament" eval faces68/test --stress ;;
    groups) json groups "$lineament" eval chips --groups ;;
    steadiness) (DATA=$root json steadiness "$lineament" bench steadiness testdata/astronaut.jpg) ;;
    program) echo program >&2 && program ;;
    *) echo "figures.sh: unknown name $name" >&2; exit 2 ;;
  esac
done
