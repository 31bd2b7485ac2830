#!/bin/bash
# shellcheck source=../../core-debian/dockerstartup/lib/application.sh
. /dockerstartup/lib/application.sh

# The lock of a profile that a session on another host left behind.
(($#)) || rm -f "$HOME"/.config/chromium/Singleton* 2>/dev/null

# --no-sandbox: Chromium's own sandbox needs namespaces, which a container's default seccomp profile
# forbids; the container (no capabilities, no-new-privileges, seccomp) is the boundary here.
# --test-type hides the bar that warns of it.
run_application chromium --no-sandbox --test-type --no-first-run --start-maximized \
  --disable-gpu --disable-dev-shm-usage --password-store=basic --hide-crash-restore-bubble -- "$@"
