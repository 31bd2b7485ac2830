#!/usr/bin/env bash
# Measures the stream of Porthole and its peers side by side; see README.md beside this file.
#   bench/stream/run.sh [--quick] [--targets a,b] [--scenes a,b] [--networks a,b] [--rounds N] …
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
require_cargo
here=$root/bench/stream
steps=3
step "Programs"
if [[ -z "${PORTHOLE_BENCH_PROGRAMS:-}" ]]; then
  cargo build --release --locked --manifest-path "$root/Cargo.toml" -p porthole-scenes
  # The static one that ships; without a container engine the plain one.
  nested build-display.sh || cargo build --release --locked --manifest-path "$root/Cargo.toml" -p porthole-display
fi
step "Peers"
[[ -d "$here/node_modules/playwright-core" ]] || (cd "$here" && npm ci --no-audit --no-fund)
peers=$PORTHOLE_CACHE/bench/selkies
if [[ ! -x "$peers/bin/selkies" ]]; then
  mkdir -p "$PORTHOLE_CACHE/bench"
  # Without it the bench runs all the same and says what it left out.
  (python3 -m venv "$peers" && "$peers/bin/pip" install -q selkies==2.1.0 websockify) || note "Selkies and websockify could not be installed."
fi
step "Measuring"
exec node "$here/src/main.mjs" "$@"
