#!/usr/bin/env bash
# Does a change keep the points and the speed? Builds a small program with the library of each of two commits, compares
# the raw bits of all golden frames, and measures both in interleaved rounds.
#
#   benches/compare.sh OLD [NEW] [--rounds 11] [--count 20]
#
# OLD and NEW are commits; without NEW it is the working tree. The frames are those of the working tree on both sides.
# Prints each round, then the least and the median microseconds of each side, and whether the bits are the same. It
# fails where they are not. Times on a busy computer vary by more than most changes: trust what least and median show.
set -euo pipefail
cd "$(dirname "$0")/.."
root=$PWD

sides=() ROUNDS=11 COUNT=20
while [ $# -gt 0 ]; do
  case $1 in
    --rounds) ROUNDS=${2:?--rounds needs a number}; shift ;;
    --count) COUNT=${2:?--count needs a number}; shift ;;
    -*) echo "compare.sh: unknown option $1" >&2; exit 2 ;;
    *) sides+=("$1") ;;
  esac
  shift
done
[ ${#sides[@]} -ge 1 ] && [ ${#sides[@]} -le 2 ] || { echo "usage: benches/compare.sh OLD [NEW]" >&2; exit 2; }

work=$(mktemp -d)
cleanup() {
  for name in old new; do
    [ ! -d "$work/$name.tree" ] || git worktree remove --force "$work/$name.tree"
  done
  rm -rf "$work"
}
trap cleanup EXIT

# build NAME COMMIT: $work/NAME, the program with the library of that commit; without one, of the working tree.
build() {
  local name=$1 tree=$root
  if [ -n "$2" ]; then
    tree=$work/$name.tree
    git worktree add --quiet --detach "$tree" "$2"
  fi
  mkdir "$work/$name.crate"
  cp "$tree/Cargo.lock" "$work/$name.crate/"
  cat > "$work/$name.crate/Cargo.toml" <<END
[package]
name = "compare"
version = "0.0.0"
edition = "2024"
[[bin]]
name = "compare"
path = "$root/benches/compare/main.rs"
[dependencies]
lineament = { path = "$tree/crates/lineament" }
[profile.release]
lto = "thin"
codegen-units = 1
[workspace]
END
  cargo build --quiet --release --manifest-path "$work/$name.crate/Cargo.toml" --target-dir "$work/$name.target"
  cp "$work/$name.target/release/compare" "$work/$name"
  rm -r "$work/$name.target"
}

build old "${sides[0]}"
build new "${sides[1]:-}"

for ((round = 1; round <= ROUNDS; round++)); do
  # Each side is first in every other round.
  order=(old new)
  [ $((round % 2)) -eq 1 ] || order=(new old)
  for name in "${order[@]}"; do
    "$work/$name" time "$COUNT" | while read -r what micros; do
      echo "$name $what $micros" >> "$work/times"
      echo "round $round  $name  $what  $micros us"
    done
  done
done

figure() { awk -v a="$1" -v b="$2" '$1 == a && $2 == b { print $3 }' "$work/times" | sort -g; }
median() { figure "$@" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
least() { figure "$@" | head -1; }
printf '\n%-22s%12s%12s%8s\n' "microseconds" old new ratio
for what in followed photo; do
  for statistic in least median; do
    awk -v w="$what, $statistic" -v a="$("$statistic" old "$what")" -v b="$("$statistic" new "$what")" \
      'BEGIN { printf "%-22s%12.1f%12.1f%8.3f\n", w, a, b, b / a }'
  done
done

for name in old new; do "$work/$name" bits > "$work/$name.bits"; done
printf '\nbits of all golden frames: old %s, new %s\n' \
  "$(tail -1 "$work/old.bits" | cut -d' ' -f1)" "$(tail -1 "$work/new.bits" | cut -d' ' -f1)"
if ! diff "$work/old.bits" "$work/new.bits" > "$work/diff"; then
  echo "these frames differ:"
  grep '^>' "$work/diff" | grep -v ' all$' || true
  exit 1
fi
echo "they are the same"
