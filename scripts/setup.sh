#!/usr/bin/env bash
# Installs what building and running Porthole needs and this machine lacks (Debian 12/13, Ubuntu
# 22.04/24.04). `setup.sh test` installs the tests' helpers too. Nothing is done twice.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=3

build_packages=(ca-certificates cmake curl g++ gcc git make nasm pkg-config)
test_packages=(chromium fonts-dejavu-core imagemagick jq mesa-utils nginx-light openssl python3-venv shellcheck sqlite3 tigervnc-viewer x11-utils x11-xkb-utils x11-xserver-utils xclip xdotool xterm xvfb)

os_id=$(. /etc/os-release && echo "${ID:-}")

# --- build tools
step "Build tools"
install_packages "${build_packages[@]}"
if ! have cargo; then
  die "Rust is not installed (cargo was not found)." "Install it from https://rustup.rs:  curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs | sh -s -- -y   and run this again. The version that rust-toolchain.toml names is fetched by itself."
fi
# The viewer's decoder is WebAssembly.
wasm_target

# --- container engine
start_dockerd() { # further arguments of dockerd
  local log=$PORTHOLE_CACHE/dockerd.log process round
  note "Starting the container engine (log: $log)"
  # shellcheck disable=SC2016 # for the inner shell
  process=$(as_root sh -c 'setsid nohup dockerd "$@" >"$0" 2>&1 </dev/null & echo $!' "$log" "$@")
  for ((round = 0; round < 240; round++)); do
    ! as_root docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || return 0
    # It ended: waiting longer helps nothing.
    [[ -d /proc/$process ]] || return 1
    sleep 0.25
  done
  return 1
}

start_engine() {
  local log=$PORTHOLE_CACHE/dockerd.log
  if [[ -d /run/systemd/system ]]; then
    note "Starting the container engine (docker.service)"
    as_root systemctl enable --now docker.service >/dev/null 2>&1 || die "docker.service does not start." "See: journalctl -u docker.service"
    local round
    for ((round = 0; round < 240; round++)); do
      ! as_root docker version >/dev/null 2>&1 || return 0
      sleep 0.25
    done
    die "the container engine does not answer after 60 s." "See: journalctl -u docker.service"
  fi
  as_root rm -f /var/run/docker.pid
  start_dockerd && return 0
  # A kernel without nftables: the older tables may be there.
  if grep -qiE 'iptables|nf_tables|nft' "$log" && have iptables-legacy; then
    note "The firewall's nftables do not work here; trying the legacy tables."
    as_root update-alternatives --set iptables "$(command -v iptables-legacy)" >/dev/null
    ! have ip6tables-legacy || as_root update-alternatives --set ip6tables "$(command -v ip6tables-legacy)" >/dev/null
    start_dockerd && return 0
  fi
  # Inside another container overlay file systems may not stack.
  if grep -qiE 'overlay|storage.driver|graphdriver' "$log"; then
    note "The overlay storage driver cannot be used here; trying others (slower)."
    [[ ! -e /dev/fuse ]] || { install_packages fuse-overlayfs; start_dockerd --storage-driver=fuse-overlayfs && return 0; }
    start_dockerd --storage-driver=vfs && return 0
  fi
  tail -n 15 "$log" >&2
  die "the container engine (dockerd) does not start." "The whole log is in $log."
}

step "Container engine"
if ! engine_answers; then
  if ! have docker && ! have podman; then
    apt_fresh || install_packages docker.io
    packages=(docker.io iptables tini)
    # Debian 13 ships the client apart.
    ! in_archive docker-cli || packages+=(docker-cli)
    install_packages "${packages[@]}"
  fi
  if have docker; then
    if ! as_root docker version --format '{{.Server.Version}}' >/dev/null 2>&1; then start_engine; fi
    if ! engine_answers && [[ -S /var/run/docker.sock ]]; then
      # The engine runs, but its socket belongs to root and the group docker. A permission for this
      # user, on this socket, until the engine starts anew; nobody's groups are changed.
      note "Giving $(id -un) access to /var/run/docker.sock (until the engine restarts; this is as good as root)"
      install_packages acl
      as_root setfacl -m "u:$(id -un):rw" /var/run/docker.sock || true
    fi
  fi
  engine_answers || die "the container engine does not answer to $(id -un)." "Check 'docker version'. To allow it for good: sudo usermod -aG docker $(id -un), then log in again."
fi

if [[ "$(engine_cli)" == podman ]]; then
  # Its API is a service of its own, and what reaps a container's processes a package of its own.
  [[ $EUID -eq 0 ]] || die "Podman serves Porthole as root's engine only." "Run this as root, or install Docker: sudo apt-get install docker.io"
  install_packages catatonit
  if ! podman --url "$podman_socket" version >/dev/null 2>&1; then
    note "Starting Podman's API at $podman_socket"
    if [[ -d /run/systemd/system ]]; then systemctl enable --now podman.socket
    else
      mkdir -p "$(dirname "${podman_socket#unix://}")"
      setsid podman system service --time=0 "$podman_socket" >"$PORTHOLE_CACHE/podman.log" 2>&1 </dev/null &
    fi
    for ((round = 0; round < 100; round++)); do podman --url "$podman_socket" version >/dev/null 2>&1 && break; sleep 0.1; done
    podman --url "$podman_socket" version >/dev/null 2>&1 || die "Podman's API does not answer at $podman_socket." "See $PORTHOLE_CACHE/podman.log, or 'systemctl status podman.socket'."
  fi
fi

# --- Node for the console
node_new_enough() {
  have node && have npm && node -e '
    const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 22 || (major === 22 && minor >= 12) || (major === 20 && minor >= 19) ? 0 : 1)' 2>/dev/null
}
step "Node for the console"
if ! node_new_enough; then
  if ! have npm; then install_packages nodejs npm; fi
  note "Fetching Node 24 from the npm registry into $PORTHOLE_CACHE/node"
  mkdir -p "$PORTHOLE_CACHE/node"
  quietly "$PORTHOLE_CACHE/node.log" npm install --prefix "$PORTHOLE_CACHE/node" --no-audit --no-fund --no-save node@24 npm@11
  PATH=$PORTHOLE_CACHE/node/node_modules/.bin:$PATH
  hash -r
  node_new_enough || die "Node $(node --version 2>/dev/null || echo '(none)') is too old for the console (20.19, 22.12 or newer is needed)." "See $PORTHOLE_CACHE/node.log."
fi

# --- tests
if [[ "${1:-}" == test ]]; then
  if [[ "$os_id" == ubuntu ]]; then
    # Ubuntu's chromium package is only a way to a snap, which a container cannot run.
    have chromium || have chromium-browser || have google-chrome || note "No browser from Ubuntu's archive; the browser tests use the one that npm's playwright fetches."
    for index in "${!test_packages[@]}"; do [[ "${test_packages[$index]}" != chromium ]] || unset "test_packages[$index]"; done
  fi
  install_packages "${test_packages[@]}"
fi
