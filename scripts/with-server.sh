#!/usr/bin/env bash
# with-server.sh COMMAND …: starts a Porthole of its own (free port, temporary data, known
# passwords), runs the command, and takes everything away again. The command gets
#   PORTHOLE_URL  PORTHOLE_ADMIN  PORTHOLE_ADMIN_PASSWORD  PORTHOLE_USER  PORTHOLE_USER_PASSWORD
#   PORTHOLE_DATA_DIR  PORTHOLE_SERVER_PID  PORTHOLE_LOG
# Its exit code is the command's. PORTHOLE_BINARY names another server than the release build.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
(($#)) || die "no command given" "Usage: with-server.sh COMMAND [ARGUMENT …]"

binary=${PORTHOLE_BINARY:-$CARGO_TARGET_DIR/release/porthole}
[[ -x "$binary" ]] || die "there is no server at $binary" "Build it: cargo build --release -p porthole"

data=$(mktemp -d "${TMPDIR:-/tmp}/porthole-test.XXXXXX")
# bench/stream meets it over a slow link, at another address of this machine.
address=${PORTHOLE_TEST_ADDRESS:-127.0.0.1}
port=$(python3 -c 'import socket, sys; s = socket.socket(); s.bind((sys.argv[1], 0)); print(s.getsockname()[1])' "$address")
export PORTHOLE_URL=https://$address:$port
export PORTHOLE_ADMIN=admin@kasm.local PORTHOLE_ADMIN_PASSWORD=admin-Test-password-1
export PORTHOLE_USER=user@kasm.local PORTHOLE_USER_PASSWORD=user-Test-password-1
# So that tests meet a rule.
export PORTHOLE_FILES_DENIED_NAMES=${PORTHOLE_FILES_DENIED_NAMES:-*.refused}
export PORTHOLE_DATA_DIR=$data PORTHOLE_LISTEN=$address:$port PORTHOLE_LOG=$data.log

"$binary" serve --data-dir "$data" --listen "$PORTHOLE_LISTEN" >"$PORTHOLE_LOG" 2>&1 </dev/null &
export PORTHOLE_SERVER_PID=$!

# Containers carry the id of the agent that made them.
own_containers() {
  [[ ! -s "$data/agent/id" ]] || engine ps -aq --filter "label=porthole.agent=$(cat "$data/agent/id")"
}

finish() {
  local status=$? round containers
  trap - EXIT INT TERM
  kill -TERM "$PORTHOLE_SERVER_PID" 2>/dev/null || true
  for ((round = 0; round < 100; round++)); do kill -0 "$PORTHOLE_SERVER_PID" 2>/dev/null || break; sleep 0.1; done
  if kill -0 "$PORTHOLE_SERVER_PID" 2>/dev/null; then
    echo "with-server: the server did not end within 10 s of SIGTERM; killing it" >&2
    kill -KILL "$PORTHOLE_SERVER_PID" 2>/dev/null || true
    status=1
  fi
  containers=$(own_containers)
  # shellcheck disable=SC2086 # one word per container
  [[ -z "$containers" ]] || engine rm -f $containers >/dev/null 2>&1 || true
  if ((status != 0)); then
    echo "with-server: the command ended with $status; the server's last lines ($PORTHOLE_LOG):" >&2
    tail -n 30 "$PORTHOLE_LOG" >&2
  else
    rm -f "$PORTHOLE_LOG"
  fi
  rm -rf "$data" 2>/dev/null || as_root rm -rf "$data"
  exit "$status"
}
trap finish EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

for ((round = 0; round < 300; round++)); do
  ! curl -ksf --max-time 2 -o /dev/null "$PORTHOLE_URL/api/__healthcheck" || break
  kill -0 "$PORTHOLE_SERVER_PID" 2>/dev/null || die "the server ended at its start."
  sleep 0.1
done
((round < 300)) || die "the server at $PORTHOLE_URL did not become healthy within 30 s."

"$@"
