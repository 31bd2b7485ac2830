#!/usr/bin/env bash
# Removes what was built. Container images and the server's data stay.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=2
require_cargo
cd "$root"
step "Rust ($CARGO_TARGET_DIR)"
cargo clean
step "Console"
rm -rf web/node_modules web/*/node_modules web/console/dist
note "Images stay ('docker image rm' removes them), and so does the data."
