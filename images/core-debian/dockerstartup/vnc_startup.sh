#!/bin/bash
# Second of the three start-up scripts: the display. The X server lives in another container; its
# socket is mounted at /tmp/.X11-unix and is there before this container starts, or appears within
# moments when the two start at the same time (after a host's reboot).
set -u

next=()
for argument in "$@"; do
  case "$argument" in
    -h|--help)
      echo "usage: vnc_startup.sh [-w|--wait] [-s|--skip] [-d|--debug] [command …]"
      echo "Waits for the X server of DISPLAY, then runs the command (the session)."
      exit 0 ;;
    -d|--debug) export KASM_DEBUG=1 ;;
    -s|--skip) skip=1 ;;
    -w|--wait) ;;
    *) next+=("$argument") ;;
  esac
done
[[ ${#next[@]} -gt 0 ]] || next=(/dockerstartup/kasm_startup.sh)
[[ -z "${KASM_DEBUG:-}" ]] || set -x

if [[ -z "${skip:-}" ]]; then
  number=${DISPLAY#*:}
  socket=/tmp/.X11-unix/X${number%%.*}
  # 600 × 50 ms: nothing in the base system can await a socket file, so look for it.
  for ((round = 0; round < 600; round++)); do
    [[ ! -S "$socket" ]] || break
    sleep 0.05
  done
  if [[ ! -S "$socket" ]]; then
    echo "porthole: no X server at $socket after 30 s. This image has none of its own: start it as a Porthole session, or mount the socket of an X server at /tmp/.X11-unix." >&2
    exit 69
  fi
fi

exec "${next[@]}"
