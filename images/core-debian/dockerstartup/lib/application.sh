# shellcheck shell=bash
# Keeps an image's application alive, and opens addresses in it. Sourced by custom_startup.sh:
#
#   run_application PROGRAM [ARGUMENT …] -- "$@"
#
# The words after `--` are custom_startup.sh's own:
#   (none)            start the program, and again whenever it ends
#   -g, --go          a call into a running session: open the address, if there is one, and return
#   -a, --assign      the same, when a prepared session is given to a user
#   -u, --url URL     the address to open (otherwise KASM_URL, then LAUNCH_URL)
# Environment: APP_ARGS replaces the program's arguments; DISABLE_CUSTOM_STARTUP (any value) turns
# the loop off.

run_application() {
  local -a command=() arguments=()
  while (($#)) && [[ "$1" != -- ]]; do command+=("$1"); shift; done
  (($# == 0)) || shift
  local url='' once=''
  while (($#)); do
    case "$1" in
      -g|--go|-a|--assign) once=1 ;;
      -u|--url) url=${2:-}; (($# > 1)) && shift ;;
      *) url=$1 ;;
    esac
    shift
  done
  [[ -n "$url" ]] || url=${KASM_URL:-${LAUNCH_URL:-}}

  if [[ -n "${APP_ARGS:-}" ]]; then
    # Split at blanks as a shell would have, without expanding anything in it.
    read -ra arguments <<< "$APP_ARGS"
    command=("${command[0]}" "${arguments[@]}")
  fi

  /usr/bin/filter_ready
  if [[ -n "$once" ]]; then
    [[ -n "$url" ]] || return 0
    /usr/bin/desktop_ready
    "${command[@]}" "$url" &
    return 0
  fi
  [[ -z "${DISABLE_CUSTOM_STARTUP:-}" ]] || return 0

  local started failures=0
  while true; do
    started=$SECONDS
    "${command[@]}" ${url:+"$url"}
    # A program that cannot start must not eat the host's processor.
    if ((SECONDS - started < 2)); then failures=$((failures + 1)); else failures=0; fi
    if ((failures > 3)); then sleep "$((failures > 30 ? 30 : failures))"; fi
  done
}
