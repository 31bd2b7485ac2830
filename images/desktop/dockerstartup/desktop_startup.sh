#!/bin/bash
# XFCE's parts, started side by side and without its session manager: there is nothing to log out
# of here (the session is ended from the panel around the desktop), and it is there sooner.
set -u

keep() { # name, command …: runs a part, and again when it ends
  local started failures=0
  while true; do
    started=$SECONDS
    "$@"
    # Without the display nothing can come back: end all parts, and with them the session.
    timeout 5 xdpyinfo >/dev/null 2>&1 || kill -TERM 0
    if ((SECONDS - started < 2)); then failures=$((failures + 1)); else failures=0; fi
    ((failures <= 3)) || sleep "$((failures > 30 ? 30 : failures))"
  done
}

keep xfwm4 --compositor=off --sm-client-disable &
keep xfdesktop --sm-client-disable &
keep xfce4-panel --sm-client-disable &
keep xfsettingsd --no-daemon --disable-wm-check --sm-client-disable &
wait
