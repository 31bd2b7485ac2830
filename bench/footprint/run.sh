#!/usr/bin/env bash
# Memory of a display at 1920×1080 with a viewer, and of the idle server with all its roles.
set -euo pipefail
cd "$(dirname "$0")/../.."
# shellcheck source=../../scripts/lib.sh
. scripts/lib.sh

server() {
  local aim_kib=$((80 * 1024)) resident
  # The idle state is the one after the start's work: warm displays made, first reports in.
  sleep 15
  resident=$(awk '/^VmRSS:/ { print $2 }' "/proc/$PORTHOLE_SERVER_PID/status")
  echo "{\"part\": \"server, all roles, idle\", \"rss_kib\": $resident, \"aim_kib\": $aim_kib}"
  ((resident <= aim_kib))
}
if [[ "${1:-}" == server ]]; then server; exit; fi
status=0
bench/footprint/display.py "$@" || status=1
scripts/with-server.sh "$PWD/bench/footprint/run.sh" server || status=1
exit "$status"
