#!/usr/bin/env bash
# From nothing to a running Porthole: installs what is missing, builds what has changed, starts it.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=5

if [[ -z "${PORTHOLE_DATA_DIR:-}" ]]; then
  if [[ $EUID -eq 0 ]]; then PORTHOLE_DATA_DIR=/var/lib/porthole; else PORTHOLE_DATA_DIR=${XDG_DATA_HOME:-$HOME/.local/share}/porthole; fi
fi
export PORTHOLE_DATA_DIR

step "Installing what is missing"
nested setup.sh
# Node may just have been put there.
# shellcheck source=lib.sh
. "$root/scripts/lib.sh"
start_images

step "Building the console"
build_console

look_at_images
step "Building the server (release)"
(cd "$root" && cargo build --release --locked -p porthole)

step "Building the images that are absent or have changed"
nested images.sh display
wait_images

step "Starting Porthole (data in $PORTHOLE_DATA_DIR; Ctrl-C stops it, sessions keep running)"
cd "$root"
exec "$CARGO_TARGET_DIR/release/porthole" serve --data-dir "$PORTHOLE_DATA_DIR" ${PORTHOLE_LISTEN:+--listen "$PORTHOLE_LISTEN"}
