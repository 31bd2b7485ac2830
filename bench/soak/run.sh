#!/usr/bin/env bash
# Ten minutes of 60 updates a second: neither streamer nor X server may grow.
#   bench/soak/run.sh [--seconds N]
set -euo pipefail
# shellcheck source=../../scripts/lib.sh
. "$(dirname "$0")/../../scripts/lib.sh"
require_cargo
cargo build --release --locked --manifest-path "$root/Cargo.toml" -p porthole-display -p porthole-scenes
exec "$root/bench/soak/soak.py" --programs "$CARGO_TARGET_DIR/release" "$@"
