#!/usr/bin/env bash
# shellcheck disable=SC2016 # what stands in single quotes runs in the container
# Starts each workspace image as the agent does (no capabilities, no new privileges, limits, the X
# server outside) on a plain Xvfb and checks what a user would see. `test.sh terminal …`: only those.
set -euo pipefail
# shellcheck source=../scripts/lib.sh
. "$(dirname "$0")/../scripts/lib.sh"

images=("$@")
[[ ${#images[@]} -gt 0 ]] || images=(core-debian terminal desktop firefox chromium libreoffice custom display)
for program in Xvfb xdotool xprop xrandr import glxinfo glxgears; do have "$program" || die "$program is missing" "Run scripts/setup.sh test."; done

work=$(mktemp -d "${TMPDIR:-/tmp}/porthole-images.XXXXXX")
label=porthole.test=images-$$
passed=0
failures=0
server=''
cleanup() {
  trap - EXIT
  local containers
  containers=$(engine ps -aq --filter "label=$label")
  # shellcheck disable=SC2086 # one word per container
  [[ -z "$containers" ]] || engine rm -f $containers >/dev/null
  [[ -z "$server" ]] || kill "$server" 2>/dev/null || true
  engine image rm -f "porthole/test-custom:$$" >/dev/null 2>&1 || true
  rm -rf "$work"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

start_display() {
  rm -f "$work/number"
  mkfifo "$work/number"
  Xvfb -displayfd 9 -screen 0 1920x1200x24 -nolisten tcp -noreset -ac 9>"$work/number" >"$work/xvfb.log" 2>&1 &
  server=$!
  read -rt 10 number <"$work/number" || die "Xvfb did not start" "$(tail -n 3 "$work/xvfb.log")"
  export DISPLAY=:$number
  set_size 1280 720
}
stop_display() { kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; server=''; }

set_size() { # width height
  local mode=$1x$2-test
  xrandr --newmode "$mode" 0 "$1" 0 0 0 "$2" 0 0 0 2>/dev/null || true
  xrandr --addmode screen "$mode"
  xrandr --output screen --mode "$mode"
}

check() { # what, command …
  local what=$1; shift
  if "$@"; then passed=$((passed + 1)); else failures=$((failures + 1)); echo "      FAILED: $name: $what"; fi
}

# within SECONDS COMMAND …: polls, since what a foreign program draws announces itself to nobody.
within() {
  local deadline=$((SECONDS + $1)); shift
  until "$@"; do ((SECONDS < deadline)) || return 1; sleep 0.1; done
}

# geometries [TYPE]: "X=… Y=… WIDTH=… HEIGHT=…" of each window that the window manager knows.
geometries() {
  local window
  for window in $(xprop -root _NET_CLIENT_LIST 2>/dev/null | grep -o '0x[0-9a-f]*'); do
    [[ -z "${1:-}" || "$(xprop -id "$window" _NET_WM_WINDOW_TYPE 2>/dev/null)" == *"$1"* ]] || continue
    xdotool getwindowgeometry --shell "$window" 2>/dev/null | tr '\n' ' '
    echo
  done
}
window_of_size() { [[ "$(geometries)" == *" WIDTH=$1 HEIGHT=$2 "* ]]; } # width height
dock_at_bottom() { [[ "$(geometries DOCK)" == *" Y=$(($2 - 36)) WIDTH=$1 HEIGHT=36 "* ]]; } # width height

titled() { xdotool search --onlyvisible --name "$1" >/dev/null 2>&1; }
colours() { (($(import -silent -window root png:- 2>/dev/null | identify -format '%k' - 2>/dev/null) > $1)); }
running() { [[ "$(engine inspect --format '{{.State.Running}}' "$container")" == true ]]; }
seconds_to_stop() { # at most SECONDS
  local began=$SECONDS
  engine stop --time 10 "$container" >/dev/null && ((SECONDS - began <= $1)) &&
    [[ "$(engine inspect --format '{{.State.ExitCode}}' "$container")" -ne 137 ]]
}

fills() { if [[ "$kind" == application ]]; then window_of_size "$1" "$2"; else dock_at_bottom "$1" "$2"; fi; }

run_image() { # image
  container=$(engine run -d --init --label "$label" --network none --ipc host \
    --cap-drop ALL --security-opt no-new-privileges --pids-limit 2048 --memory 2g \
    -v /tmp/.X11-unix:/tmp/.X11-unix:ro -e "DISPLAY=$DISPLAY" "$1")
}

test_image() {
  name=$1
  local image=porthole/$1:1.0 pause process program
  case "$name" in core-debian|desktop) kind=desktop ;; *) kind=application ;; esac
  case "$name" in terminal) program=xfce4-terminal ;; firefox) program=firefox-esr ;; chromium) program=/chromium ;; *) program=soffice.bin ;; esac
  start_display
  local began=${EPOCHREALTIME/./}
  run_image "$image"
  check "shows a window of the display's size within 30 s" within 30 fills 1280 720
  note "$name: first window after $(((${EPOCHREALTIME/./} - began) / 1000)) ms"
  check "paints something" within 20 colours 3
  check "runs as uid 1000 with its home filled" engine exec "$container" bash -c '[[ $(id -u) == 1000 && $HOME == /home/kasm-user && -e ~/.bashrc && -d ~/Desktop && -d ~/Downloads && -d ~/Uploads ]]'
  check "needs no font cache of its own" engine exec "$container" bash -c 'export HOME=$(mktemp -d); fc-list >/dev/null && [[ -z $(find "$HOME" -name "*.cache-*") ]]'
  check "has no display server of its own" engine exec "$container" bash -c '! command -v Xvfb Xorg Xvnc vncserver'
  set_size 1111 777
  check "follows the display to 1111×777" within 10 fills 1111 777
  set_size 1920 1200
  check "follows the display to 1920×1200" within 10 fills 1920 1200
  if [[ "$kind" == application ]]; then
    # A program that is still starting may ignore the wish to close.
    pause=$([[ "$name" == terminal ]] && echo 0.5 || echo 3)
    sleep "$pause"
    process=$(engine exec "$container" pgrep -of "$program")
    xdotool key alt+F4
    check "closes" within 10 bash -c "[[ \$($(engine_cli) exec $container pgrep -of '$program') != $process ]]"
    check "comes back after it was closed" within 20 fills 1920 1200
  fi
  case "$name" in
    firefox|chromium)
      engine exec "$container" bash -c 'echo "<title>porthole-address</title>opened" > ~/Downloads/page.html'
      engine exec -d "$container" /dockerstartup/custom_startup.sh --go --url 'file:///home/kasm-user/Downloads/page.html'
      check "opens an address in a running session (--go --url)" within 20 titled porthole-address ;;
    terminal)
      xdotool type --delay 5 'echo typed > /tmp/typed'; xdotool key Return
      check "can be typed in" within 10 engine exec "$container" test -s /tmp/typed ;;
  esac
  check "is still running" running
  check "ends within 2 s of SIGTERM" seconds_to_stop 3
  engine start "$container" >/dev/null
  check "comes back after stop and start" within 30 fills 1920 1200
  stop_display
  check "ends when its display is gone" within 15 bash -c "[[ \$($(engine_cli) inspect --format '{{.State.Running}}' $container) == false ]]"
  engine rm -f "$container" >/dev/null
}

# The three lines of docs/guide/custom-images.md.
test_custom() {
  name=custom kind=desktop
  mkdir -p "$work/custom"
  sed -n '/^FROM porthole\/core-debian/,/^USER 1000/p' "$root/docs/guide/custom-images.md" | sed '/^USER 1000/q' > "$work/custom/Dockerfile"
  check "the documented image builds" engine build -q -t "porthole/test-custom:$$" "$work/custom" >"$work/custom.log" 2>&1
  start_display
  run_image "porthole/test-custom:$$"
  check "shows the panel" within 30 dock_at_bottom 1280 720
  check "runs as uid 1000" engine exec "$container" bash -c '[[ $(id -u) == 1000 ]]'
  engine exec -d "$container" galculator
  check "its application opens" within 15 titled galculator
  check "ends within 2 s of SIGTERM" seconds_to_stop 3
  engine rm -f "$container" >/dev/null
  stop_display
}

# The X server in the display's image has no renderer: programs bring their own.
test_display() {
  name=display
  local version image
  version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
  image=${PORTHOLE_TEST_DISPLAY_IMAGE:-porthole/display:$version}
  image_present "$image" || die "$image is not built" "Run scripts/build-display.sh."
  mkdir -p "$work/stream"
  chmod 755 "$work"
  chmod 777 "$work/stream"
  [[ -d /tmp/.X11-unix ]] || mkdir -m 1777 /tmp/.X11-unix
  container=$(engine run -d --label "$label" --network none --read-only --cap-drop ALL --security-opt no-new-privileges \
    --tmpfs /tmp -e PORTHOLE_DISPLAY_NUMBER=auto -v /tmp/.X11-unix:/tmp/.X11-unix -v "$work/stream:/run/porthole" "$image")
  check "becomes ready" within 20 test -S "$work/stream/display.sock"
  DISPLAY=:$(engine logs "$container" 2>&1 | sed -n 's/.* ready display=\([0-9]*\) .*/\1/p')
  export DISPLAY LIBGL_ALWAYS_SOFTWARE=1
  check "OpenGL programs draw by themselves" bash -c 'timeout 20 glxinfo -B | grep -q "^direct rendering: Yes"'
  check "there are configurations with four samples" bash -c 'timeout 20 glxinfo -v | grep -q "multiSample=4 "'
  check "there are as many as programs can draw" bash -c '(($(timeout 20 glxinfo | sed -n "s/ GLXFBConfigs:$//p") > 100))'
  timeout 8 glxgears -geometry 300x300+0+0 >/dev/null 2>&1 &
  check "what they draw is seen" within 6 colours 50
  wait $! || true
  check "the X server refuses to draw for them" bash -c '! LIBGL_ALWAYS_INDIRECT=1 timeout 20 glxinfo -B >/dev/null 2>&1'
  check "and goes on" bash -c 'timeout 10 xprop -root >/dev/null'
  check "has no renderer" engine exec "$container" sh -c '! ls /usr/lib/*/libLLVM* /usr/lib/*/libgallium* 2>/dev/null'
  check "ends within 2 s of SIGTERM" seconds_to_stop 3
  engine rm -f "$container" >/dev/null
  unset LIBGL_ALWAYS_SOFTWARE
}

for image in "${images[@]}"; do
  if [[ "$image" == display ]]; then test_display; continue; fi
  if [[ "$image" == custom ]]; then test_custom; else
    image_present "porthole/$image:1.0" || die "porthole/$image:1.0 is not built" "Run scripts/images.sh $image."
    test_image "$image"
  fi
done
echo "images: $passed passed, $failures failed"
((failures == 0))
