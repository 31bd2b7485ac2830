#!/usr/bin/env bash
# Proves the README's two commands on a machine where nothing is installed: a container made from a
# minimal Debian, with git, make and the Rust toolchain, and a container engine of its own inside.
# Clones the last commit, `make run`, signs in, launches a session, sees its first picture, stops,
# starts again, `make test`. `--no-test` leaves out the last; `--user` does all of it as a user with
# sudo instead of as root; `--keep` keeps the container.
# PORTHOLE_FRESH_SUITE: bookworm (default), trixie, jammy, noble; PORTHOLE_FRESH_LOG: where everything is written.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
keep='' with_tests=1 person=root home=/root
for argument in "$@"; do
  case "$argument" in
    --keep) keep=1 ;;
    --no-test) with_tests='' ;;
    --user) person=builder home=/home/builder ;;
    *) die "unknown option $argument" "Usage: fresh.sh [--no-test] [--user] [--keep]" ;;
  esac
done
steps=$((with_tests ? 7 : 6))
suite=${PORTHOLE_FRESH_SUITE:-bookworm}
image=porthole-fresh-root:$suite
container=porthole-fresh-$$
volume=porthole-fresh-$$
commit=$(git -C "$root" rev-parse HEAD)
log=${PORTHOLE_FRESH_LOG:-$PORTHOLE_CACHE/fresh.log}
: >"$log"
began=$SECONDS
runner=''

cleanup() {
  local status=$?
  trap - EXIT
  [[ -z "$runner" ]] || kill "$runner" 2>/dev/null || true
  if [[ -z "$keep" ]]; then
    engine rm -f -v "$container" >/dev/null 2>&1 || true
    engine volume rm -f "$volume" >/dev/null 2>&1 || true
  else note "kept: docker exec -it $container bash"; fi
  if ((status == 0)); then echo "fresh: PASSED in $(((SECONDS - began) / 60)) min (commit ${commit:0:12}, $suite; log: $log)"
  else
    tail -n 40 "$log" >&2
    echo "fresh: FAILED after $(((SECONDS - began) / 60)) min (commit ${commit:0:12}, $suite; log: $log)"
  fi
  exit "$status"
}
trap cleanup EXIT
trap 'exit 130' INT TERM

inside() { engine exec --user "$person" --env HOME="$home" "$container" bash -lc "$1"; }

step "Minimal Debian $suite"
[[ -z "$(git -C "$root" status --porcelain --untracked-files=no)" ]] || note "there are changes that are not committed; the last commit is what is tried"
require_cargo
if ! image_present "$image"; then
  install_packages mmdebstrap
  archive=$(mktemp "$PORTHOLE_CACHE/fresh.XXXXXX.tar")
  case "$suite" in
    jammy|noble)
      mirrors=("deb http://archive.ubuntu.com/ubuntu $suite main universe" "deb http://archive.ubuntu.com/ubuntu $suite-updates main universe")
      keyring=/usr/share/keyrings/ubuntu-archive-keyring.gpg
      [[ -e "$keyring" ]] || die "$keyring is not there, so Ubuntu's packages cannot be checked." "Copy it from an Ubuntu machine (package ubuntu-keyring)." ;;
    *)
      mirrors=("deb http://deb.debian.org/debian $suite main" "deb http://deb.debian.org/debian $suite-updates main" "deb http://deb.debian.org/debian-security $suite-security main")
      keyring=/usr/share/keyrings/debian-archive-keyring.gpg ;;
  esac
  quietly "$log" as_root mmdebstrap --variant=minbase --keyring="$keyring" --include=apt,ca-certificates,git,make "$suite" "$archive" "${mirrors[@]}"
  as_root cat "$archive" | engine import --change 'CMD ["bash"]' - "$image" >/dev/null
  as_root rm -f "$archive"
fi

step "A container of it, with the Rust toolchain"
rustup_home=${RUSTUP_HOME:-$HOME/.rustup}
cargo_home=${CARGO_HOME:-$HOME/.cargo}
options=(
  --init --name "$container" --hostname fresh --volume "$volume:/var/lib/docker" --volume /sys/fs/cgroup:/sys/fs/cgroup
  --volume "$rustup_home:$rustup_home:ro" --env "RUSTUP_HOME=$rustup_home" --volume "$cargo_home/bin:$home/.cargo/bin:ro" --volume "$root/.git:/source.git:ro"
  --env "PATH=$home/.cargo/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
  --env GIT_CONFIG_COUNT=1 --env GIT_CONFIG_KEY_0=safe.directory --env 'GIT_CONFIG_VALUE_0=*'
  --env PORTHOLE_ADMIN_PASSWORD=fresh-Admin-password-1 --env PORTHOLE_USER_PASSWORD=fresh-User-password-1
)
# How this machine reaches package servers (mirrors, proxies, authorities) is needed inside too.
for pair in "$cargo_home/config.toml:$home/.cargo/config.toml" "$HOME/.npmrc:$home/.npmrc" "$HOME/.config/pip/pip.conf:$home/.config/pip/pip.conf" /etc/pip.conf:/etc/pip.conf; do
  [[ ! -f "${pair%%:*}" ]] || options+=(--volume "$pair:ro")
done
if [[ -f /etc/ssl/certs/ca-certificates.crt ]]; then
  options+=(--volume /etc/ssl/certs/ca-certificates.crt:/etc/host-authorities.crt:ro)
  for name in SSL_CERT_FILE CURL_CA_BUNDLE GIT_SSL_CAINFO NODE_EXTRA_CA_CERTS CARGO_HTTP_CAINFO PIP_CERT REQUESTS_CA_BUNDLE; do
    options+=(--env "$name=/etc/host-authorities.crt")
  done
fi
for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do [[ -z "${!name:-}" ]] || options+=(--env "$name"); done
if ! engine run -d --privileged "${options[@]}" "$image" sleep infinity >>"$log" 2>&1; then
  note "--privileged does not work here; taking the capabilities one by one"
  engine rm -f "$container" >/dev/null 2>&1 || true
  engine run -d --cap-add ALL --cap-drop SYS_RESOURCE --security-opt seccomp=unconfined --security-opt apparmor=unconfined --security-opt systempaths=unconfined \
    "${options[@]}" "$image" sleep infinity >>"$log" 2>&1 || die "the container does not start."
fi
for file in /etc/apt/apt.conf.d/*prox* /etc/apt/apt.conf.d/*mirror*; do
  [[ ! -f "$file" ]] || engine cp "$file" "$container:/etc/apt/apt.conf.d/"
done
if [[ "$person" != root ]]; then
  quietly "$log" engine exec "$container" bash -ec "
    apt-get update
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends sudo
    useradd --shell /bin/bash --home-dir $home --no-create-home $person
    echo '$person ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/$person
    # The toolchain may lie below root's folder.
    chmod o+x /root
    chown $person: $home
    # What is mounted for reading only stays root's.
    find $home -xdev -mindepth 1 -type d -writable -exec chown $person: {} + || true"
fi
address=$(engine inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}' "$container")
# The repository is root's here, so only root clones it.
quietly "$log" engine exec "$container" bash -c "git clone -q /source.git $home/porthole && cd $home/porthole && git checkout -q --detach $commit && chown -R $person: ."

# start_run SECONDS: `make run` until the server answers.
start_run() {
  local started=$SECONDS told=0
  inside "cd $home/porthole && exec make run" >>"$log" 2>&1 &
  runner=$!
  until curl -ksf --max-time 3 -o /dev/null "https://$address:8443/api/__healthcheck"; do
    kill -0 "$runner" 2>/dev/null || die "make run ended before the server answered."
    ((SECONDS - started < $1)) || die "the server did not answer within $1 s."
    if ((SECONDS - told > 30)); then told=$SECONDS; note "$((SECONDS - started)) s: $(tail -n 1 "$log" | tr -d '\r' | cut -c1-100)"; fi
    sleep 1
  done
  note "the server answers after $((SECONDS - started)) s"
}
stop_run() {
  local round server
  # shellcheck disable=SC2016 # for the shell inside
  server=$(inside 'for f in /proc/[0-9]*/comm; do [[ "$(cat $f 2>/dev/null)" != porthole ]] || basename $(dirname $f); done' | head -n 1)
  inside "kill -INT $server"
  for ((round = 0; round < 200; round++)); do kill -0 "$runner" 2>/dev/null || break; sleep 0.1; done
  ! kill -0 "$runner" 2>/dev/null || die "make run did not end within 20 s of Ctrl-C."
  wait "$runner" || true
  runner=''
}
first_frame() {
  PORTHOLE_USER_PASSWORD=fresh-User-password-1 python3 "$root/scripts/first_frame.py" --url https://localhost:8443 --connect-to "$address:8443" --timeout 180 "$@" | tee -a "$log"
}

step "make run, for the first time (builds everything)"
start_run 5400
step "Signing in, a session, its first picture"
first_frame --workspace Terminal
first_frame --workspace Desktop
step "Ctrl-C"
stop_run
step "make run, for the second time"
start_run 120
first_frame --workspace Terminal
stop_run
if [[ -n "$with_tests" ]]; then
  step "make test"
  inside "cd $home/porthole && make test" >>"$log" 2>&1 || die "make test failed."
  note "$(tail -n 1 "$log")"
fi
