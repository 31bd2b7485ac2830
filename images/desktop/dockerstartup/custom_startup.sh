#!/bin/bash
# The desktop itself is started by desktop_startup.sh; here only an address is opened, when one is given.
# shellcheck source=../../core-debian/dockerstartup/lib/application.sh
. /dockerstartup/lib/application.sh

for word in "$@"; do
  case "$word" in
    -g|--go|-a|--assign)
      run_application firefox-esr -- "$@"
      exit 0 ;;
  esac
done
url=${KASM_URL:-${LAUNCH_URL:-}}
if [[ -n "$url" && -z "${DISABLE_CUSTOM_STARTUP:-}" ]]; then
  desktop_ready
  firefox-esr "$url" &
fi
exit 0
