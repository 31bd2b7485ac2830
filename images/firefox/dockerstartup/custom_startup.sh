#!/bin/bash
# shellcheck source=../../core-debian/dockerstartup/lib/application.sh
. /dockerstartup/lib/application.sh

# The lock of a profile that a session on another host left behind.
(($#)) || rm -f "$HOME"/.mozilla/firefox/*/lock "$HOME"/.config/mozilla/firefox/*/lock 2>/dev/null
export MOZ_CRASHREPORTER_DISABLE=1
run_application firefox-esr -- "$@"
