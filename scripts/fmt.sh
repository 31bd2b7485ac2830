#!/usr/bin/env bash
# Formats all sources.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=2
require_cargo
cd "$root"
step "Rust"
cargo fmt --all
step "Web"
if [[ -d web/node_modules ]]; then (cd web && npm run --silent format); else note "web/node_modules is not there; 'make run' fetches it"; fi
