#!/usr/bin/env bash
# Training speed: ours compared with PyTorch as installed and PyTorch with glibc's allocator tuned, in interleaved rounds.
# PyTorch uses the faster of its two memory layouts (channels first or last).
#
#   pip install torch                                      # the CPU build is enough
#   benches/training_speed.sh [--network basic] [--threads 2] [--groups 16] [--steps 6] [--rounds 5] [--json FILE]
#
# Prints every round, then the median and the best samples per second of each side and our ratio to both. Compare ratios:
# absolute numbers change with whatever else the computer does. On a busy computer PyTorch's threads wait for each other
# and its median drops most, so claim only what median and best both show. PYTHON chooses the interpreter with torch.
set -euo pipefail
cd "$(dirname "$0")/.."

NETWORK=basic THREADS=2 GROUPS_OF_BATCH= STEPS=6 ROUNDS=5 JSON= PYTHON=${PYTHON:-python3}
while [ $# -gt 0 ]; do
  [ $# -ge 2 ] || { echo "training_speed.sh: $1 needs a value" >&2; exit 2; }
  case $1 in
    --network) NETWORK=$2 ;;
    --threads) THREADS=$2 ;;
    --groups) GROUPS_OF_BATCH=$2 ;;
    --steps) STEPS=$2 ;;
    --rounds) ROUNDS=$2 ;;
    --json) JSON=$2 ;;
    *) echo "training_speed.sh: unknown option $1" >&2; exit 2 ;;
  esac
  shift 2
done

results=$(mktemp) listed=$(mktemp)
trap 'rm -f "$results" "$listed"' EXIT
options=(--threads "$THREADS" --steps "$STEPS")
ours() {
  cargo run -q --release -p lineament-train --example speed -- --network "$NETWORK" \
    --groups "${GROUPS_OF_BATCH:-$THREADS}" "${options[@]}"
}
torch() { "$PYTHON" benches/torch_training.py "$listed" "${options[@]}" "$@"; }
tuned() { torch --tuned; }

# Outside the clock.
cargo build -q --release -p lineament-train --example speed
cargo run -q --release -p lineament-cli -- train --network-json "$NETWORK" > "$listed"
for ((round = 1; round <= ROUNDS; round++)); do
  for side in ours torch tuned; do
    speed=$("$side" | awk '$1 == "samples_per_s" { print $2 }')
    [ -n "$speed" ] || { echo "training_speed.sh: no samples_per_s from $side" >&2; exit 1; }
    echo "$side $speed" >> "$results"
    echo "round $round  $side  $speed samples/s"
  done
done

median() {
  awk -v side="$1" '$1 == side { print $2 }' "$results" | sort -g |
    awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'
}
best() { awk -v side="$1" '$1 == side { print $2 }' "$results" | sort -g | tail -1; }

echo "$NETWORK, $THREADS threads, $ROUNDS rounds, samples/s"
for statistic in median best; do
  awk -v s="$statistic" -v o="$("$statistic" ours)" -v p="$("$statistic" torch)" -v q="$("$statistic" tuned)" 'BEGIN {
    printf "%-6s  ours %.1f  torch %.1f  torch tuned %.1f  ours / torch %.2f  ours / torch tuned %.2f\n", s, o, p, q, o / p, o / q }'
done

# The medians, put into docs/figures/training.json's form under the network's name.
if [ -n "$JSON" ]; then
  [ -s "$JSON" ] || echo '{}' > "$JSON"
  "$PYTHON" - "$JSON" "$NETWORK" "$THREADS" "$ROUNDS" "$(median ours)" "$(median torch)" "$(median tuned)" <<'END'
import datetime, json, sys
file, network, threads, rounds, *speeds = sys.argv[1:]
figures = json.load(open(file))
about = {"date": str(datetime.date.today()), "threads": int(threads), "rounds": int(rounds)}
figures[network] = about | dict(zip(("ours", "torch", "tuned"), map(float, speeds)))
json.dump(figures, open(file, "w"), indent=1)
END
fi
