# Common parts of the scripts. Sourced, never run.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
export PORTHOLE_CACHE=${PORTHOLE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/porthole}
# Outside the clone: a second clone, and a container made from one, share what is built already.
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$PORTHOLE_CACHE/target}
mkdir -p "$PORTHOLE_CACHE"

# rustup puts cargo here; a shell that was open before does not know it yet.
if ! command -v cargo >/dev/null && [[ -x "$HOME/.cargo/bin/cargo" ]]; then PATH=$HOME/.cargo/bin:$PATH; fi
# Node from setup.sh, when the system's own is too old.
if [[ -x "$PORTHOLE_CACHE/node/node_modules/.bin/node" ]]; then PATH=$PORTHOLE_CACHE/node/node_modules/.bin:$PATH; fi
export PATH

if [[ -t 1 && -z "${NO_COLOR:-}" ]]; then bold=$'\e[1m' red=$'\e[31m' plain=$'\e[0m'; else bold='' red='' plain=''; fi

# step TEXT …: the next of $steps steps. A script called by another one prints its steps as notes.
step_number=${step_number:-0}
step() {
  step_number=$((step_number + 1))
  if [[ -n "${PORTHOLE_NESTED:-}" ]]; then note "$*"; else printf '%s[%d/%d]%s %s\n' "$bold" "$step_number" "${steps:-1}" "$plain" "$*"; fi
}
note() { printf '      %s\n' "$*"; }
# nested SCRIPT …: runs another of our scripts as a part of this one.
nested() { PORTHOLE_NESTED=1 "$root/scripts/$1" "${@:2}"; }

# die WHAT [WHAT TO DO]
die() {
  printf '%sError:%s %s\n' "$red" "$plain" "$1" >&2
  [[ $# -lt 2 ]] || printf '       %s\n' "$2" >&2
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

as_root() {
  if [[ $EUID -eq 0 ]]; then "$@"
  elif have sudo; then
    sudo -n true 2>/dev/null || [[ -t 0 ]] || die "this step needs root, and sudo would ask for a password without a terminal: $1" "Run as root, or allow sudo without a password, or run 'scripts/setup.sh' once by hand."
    sudo "$@"
  else die "this step needs root, and sudo is not there: $1" "Run it as root, or install sudo."; fi
}

# quietly LOG COMMAND …: output into a file; its end is shown when the command fails.
quietly() {
  local log=$1; shift
  if ! "$@" >"$log" 2>&1; then
    tail -n 25 "$log" >&2
    die "'$1' failed; the whole output is in $log"
  fi
}

# --- packages ---------------------------------------------------------------------------------

# install_packages NAME …: those that are missing and that this release has.
install_packages() {
  have apt-get || die "packages can be installed on Debian and Ubuntu only: $*" "Install the equivalents with your system's package manager, then run this again."
  local missing=() name installed log=$PORTHOLE_CACHE/apt.log
  installed=$(dpkg-query -Wf '${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
  for name in "$@"; do [[ $'\n'$installed$'\n' == *$'\n'"$name installed"$'\n'* ]] || missing+=("$name"); done
  [[ ${#missing[@]} -gt 0 ]] || return 0
  note "Installing ${missing[*]}"
  # Another apt may hold the lock for a while on a machine that has just started.
  local options=(-o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
  if ! apt_fresh; then quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" update; fi
  quietly "$log" as_root env DEBIAN_FRONTEND=noninteractive apt-get "${options[@]}" install -y --no-install-recommends "${missing[@]}"
}

# apt_fresh: the package lists are there and not older than a day.
apt_fresh() { [[ -n "$(find /var/lib/apt/lists -maxdepth 1 -name '*Packages*' -mtime -1 -print -quit 2>/dev/null)" ]]; }

# in_archive NAME: this release has the package.
in_archive() { [[ -n "$(apt-cache madison "$1" 2>/dev/null)" ]]; }

# --- container engine -------------------------------------------------------------------------

# The container engine's client: docker, else podman (the same words), unless told.
engine_cli() { if [[ -n "${PORTHOLE_ENGINE_CLI:-}" ]]; then echo "$PORTHOLE_ENGINE_CLI"; elif have docker || ! have podman; then echo docker; else echo podman; fi; }
engine() { "$(engine_cli)" "$@"; }
engine_answers() { timeout 10 "$(engine_cli)" version --format '{{.Server.Version}}' >/dev/null 2>&1; }

# Where Podman's API is; the server is told when Podman is the engine.
podman_socket=unix:///run/podman/podman.sock
[[ "$(engine_cli)" != podman ]] || export PORTHOLE_AGENT_ENGINE=${PORTHOLE_AGENT_ENGINE:-$podman_socket}

image_present() { engine image inspect "$1" >/dev/null 2>&1; }
image_label() { engine image inspect --format "{{index .Config.Labels \"$2\"}}" "$1" 2>/dev/null || true; }

# content_hash PATH …: one hash over names, modes and contents of the files below the paths.
content_hash() {
  (cd "$root" && { find "$@" -type f -printf '%m %p\n' | sort; find "$@" -type f -print0 | sort -z | xargs -0 sha256sum; }) | sha256sum | cut -c1-32
}

# An HTTP proxy that the host's environment or apt uses is used inside image builds too.
proxy_build_arguments() {
  local proxy=${http_proxy:-${HTTP_PROXY:-}} secure=${https_proxy:-${HTTPS_PROXY:-}}
  if [[ -z "$proxy" ]] && have apt-config; then eval "$(apt-config shell proxy Acquire::http::Proxy secure Acquire::https::Proxy)"; fi
  [[ -z "$proxy" ]] || printf '%s\n' --build-arg "http_proxy=$proxy"
  [[ -z "$secure" ]] || printf '%s\n' --build-arg "https_proxy=$secure"
}

# --- building ---------------------------------------------------------------------------------

workspace_images=(core-debian terminal desktop firefox chromium libreoffice)

# Images are made of downloads, the programs of processor time: side by side they take half as long.
images_log=$PORTHOLE_CACHE/images.log
images_process=''
start_images() {
  NO_COLOR=1 PORTHOLE_NESTED=1 "$root/scripts/images.sh" "${workspace_images[@]}" >"$images_log" 2>&1 &
  images_process=$!
  trap 'kill "$images_process" 2>/dev/null || true' EXIT
}
wait_images() {
  [[ -n "$images_process" ]] || return 0
  tail -n +1 -f --pid="$images_process" "$images_log" | sed -u '/^ *Base image/d' &
  local tail_process=$!
  local status=0
  wait "$images_process" || status=$?
  wait "$tail_process" 2>/dev/null || true
  images_process=''
  trap - EXIT
  ((status == 0)) || die "an image could not be built (see above)." "The whole output is in $PORTHOLE_CACHE/image-*.log; 'make images' tries again."
}

# An image that failed is told before the long build that comes next.
look_at_images() { kill -0 "$images_process" 2>/dev/null || wait_images; }

require_cargo() { have cargo || die "Rust is not installed (cargo was not found)." "Install it from https://rustup.rs and run this again."; }

# build_decoder: the viewer's decoder (WebAssembly) where the console's build takes it from.
build_decoder() {
  local target=wasm32-unknown-unknown wasm=$root/web/viewer/wasm/porthole_viewer.wasm
  require_cargo
  wasm_target
  note "Building the viewer's decoder (WebAssembly)"
  (cd "$root" && cargo build --quiet --locked --profile wasm --target "$target" -p porthole-viewer-wasm)
  mkdir -p "$(dirname "$wasm")"
  # Left alone when it is the same, and so is the console then.
  cmp -s "$CARGO_TARGET_DIR/$target/wasm/porthole_viewer_wasm.wasm" "$wasm" || cp "$CARGO_TARGET_DIR/$target/wasm/porthole_viewer_wasm.wasm" "$wasm"
}

# wasm_target: what Rust needs to build for WebAssembly.
wasm_target() {
  local target=wasm32-unknown-unknown
  [[ ! -d "$(cd "$root" && rustc --print sysroot)/lib/rustlib/$target" ]] || return 0
  have rustup || die "Rust cannot build for WebAssembly: its target $target is missing." "Install it with your system's packages, or Rust from https://rustup.rs."
  (cd "$root" && quietly "$PORTHOLE_CACHE/wasm-target.log" rustup target add "$target")
}

# build_console: the console's files in web/console/dist, when a source has changed.
build_console() {
  build_decoder
  local lock stamp=$root/web/node_modules/.porthole-lock
  lock=$(sha256sum "$root/web/package-lock.json" | cut -c1-64)
  if [[ "$(cat "$stamp" 2>/dev/null)" != "$lock" ]]; then
    note "Fetching the console's packages (npm ci)"
    (cd "$root/web" && PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD=1 npm ci --no-audit --no-fund --loglevel=error)
    echo "$lock" > "$stamp"
  fi
  local sources built=$root/web/node_modules/.porthole-console
  sources=$(cd "$root/web" && find api console viewer ./*.json \( -name node_modules -o -name dist -o -name test \) -prune -o -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum | cut -c1-64)
  if [[ ! -f "$root/web/console/dist/index.html" || "$(cat "$built" 2>/dev/null)" != "$sources" ]]; then
    note "Building the console"
    (cd "$root/web" && npm run --silent build)
    echo "$sources" > "$built"
  else
    note "The console is up to date"
  fi
}
