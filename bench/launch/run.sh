#!/usr/bin/env bash
# Click to first picture, against `docker run` of the same image, on a server of its own.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../../scripts/lib.sh
. scripts/lib.sh
cargo build --quiet --release --locked -p bench-launch
scripts/with-server.sh "$CARGO_TARGET_DIR/release/bench-launch" "$@"
