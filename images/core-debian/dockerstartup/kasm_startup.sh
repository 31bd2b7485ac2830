#!/bin/bash
# Third of the three start-up scripts: the session. Starts the message bus, the desktop (window
# manager) and the application, brings back what ends unexpectedly, and ends within 2 s of SIGTERM.
set -u
[[ -z "${KASM_DEBUG:-}" ]] || set -x

bus=${DBUS_SESSION_BUS_ADDRESS#unix:path=}
rm -f "$bus"
dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog &
bus_process=$!

desktop_process=''
application_process=''

start_desktop() { setsid /dockerstartup/desktop_startup.sh & desktop_process=$!; }
start_application() { setsid /dockerstartup/custom_startup.sh & application_process=$!; }

# Each part is the leader of its own process group, so that the signal reaches its children too.
end() {
  trap '' TERM INT HUP
  local process
  for process in $application_process $desktop_process; do
    kill -TERM -- "-$process" 2>/dev/null
  done
  # Programs get a second to write their state; whatever is left then ends with the container.
  local deadline=$((SECONDS + 1))
  while kill -0 -- "-${application_process:-0}" 2>/dev/null && ((SECONDS <= deadline)); do
    sleep 0.05
  done
  kill -TERM "$bus_process" 2>/dev/null
  exit 0
}
trap end TERM INT HUP

display_alive() { timeout 5 xdpyinfo >/dev/null 2>&1; }

start_desktop
if [[ ! -x /dockerstartup/custom_startup.sh ]]; then
  echo "porthole: /dockerstartup/custom_startup.sh is missing or not executable; set its mode to 0755 in the image." >&2
  exit 78
fi
start_application

quick_failures=0
while true; do
  started=$SECONDS
  wait -n -p ended "$bus_process" "$desktop_process" ${application_process:+"$application_process"}
  status=$?
  [[ -n "${ended:-}" ]] || continue
  if ! display_alive; then
    echo "porthole: the display is gone; the session ends." >&2
    exit 69
  fi
  if ((SECONDS - started < 2)); then quick_failures=$((quick_failures + 1)); else quick_failures=0; fi
  if ((quick_failures > 10)); then
    echo "porthole: a part of the session ended more than ten times in a row (last exit code $status); giving up." >&2
    exit 70
  fi
  case "$ended" in
    "$application_process")
      # Ending with 0 is the script's own decision (a start-up that only prepares something).
      if ((status == 0)); then application_process=''; else
        echo "porthole: custom_startup.sh ended with $status; starting it again." >&2
        sleep 0.5
        start_application
      fi ;;
    "$desktop_process")
      echo "porthole: the window manager ended with $status; starting it again." >&2
      start_desktop ;;
    "$bus_process")
      echo "porthole: the message bus ended with $status; starting it again." >&2
      rm -f "$bus"
      dbus-daemon --session --address="$DBUS_SESSION_BUS_ADDRESS" --nofork --nopidfile --nosyslog &
      bus_process=$! ;;
  esac
done
