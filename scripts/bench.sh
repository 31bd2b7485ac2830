#!/usr/bin/env bash
# Runs every measurement below bench/ that has a run.sh, or only those named.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
require_cargo
cd "$root"
benches=("$@")
[[ ${#benches[@]} -gt 0 ]] || for file in bench/*/run.sh; do [[ ! -x "$file" ]] || benches+=("$(basename "$(dirname "$file")")"); done
steps=$((${#benches[@]} + 2))

step "Building the server (release)"
build_console
cargo build --release --locked -p porthole
step "Images"
nested images.sh
for name in "${benches[@]}"; do
  step "bench/$name"
  [[ -x "bench/$name/run.sh" ]] || die "there is no bench/$name/run.sh" "Those that are: $(cd bench && echo */run.sh | sed "s#/run.sh##g")"
  # The whole of bench/stream takes an hour and a half; bench/stream/run.sh does that.
  arguments=()
  [[ "$name" != stream ]] || arguments=(--quick)
  "bench/$name/run.sh" ${arguments[@]+"${arguments[@]}"}
done
