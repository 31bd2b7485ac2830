#!/usr/bin/env bash
# The image debian:bookworm: pulled where a registry answers, else made from Debian's packages.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=1
image=debian:bookworm

step "Base image $image"
image_present "$image" && exit 0
if timeout "${PORTHOLE_PULL_SECONDS:-60}" "$(engine_cli)" pull -q "$image" >"$PORTHOLE_CACHE/pull.log" 2>&1; then
  note "pulled"
  exit 0
fi
note "No registry answers ($(tail -n 1 "$PORTHOLE_CACHE/pull.log" | cut -c1-120)); making it from Debian's packages, about a minute"
install_packages mmdebstrap
# The public keys that sign bookworm, as in Debian's package debian-archive-keyring: Ubuntu 22.04 has
# one from before there were such.
keyring=$(mktemp --tmpdir debian-archive-bookworm.XXXXXX.gpg)
trap 'rm -f "$keyring" ${root_archive:+"$root_archive"}' EXIT
# apt checks signatures as a user of its own, which may not read everybody's folders.
install -m 0644 "$root/images/debian-archive-bookworm.gpg" "$keyring"
options=()
for name in Acquire::http::Proxy Acquire::https::Proxy Acquire::Check-Valid-Until; do
  value=$(apt-config dump --format '%v' "$name")
  [[ -z "$value" ]] || options+=(--aptopt="$name \"$value\"")
done
log=$PORTHOLE_CACHE/mmdebstrap.log
# shellcheck disable=SC2016 # $1 is mmdebstrap's: the new root's folder
root_hook='rm -f "$1/etc/resolv.conf" "$1/etc/hostname"'
root_archive=$(mktemp "$PORTHOLE_CACHE/base.XXXXXX.tar")
quietly "$log" as_root mmdebstrap --variant=minbase --keyring="$keyring" ${options[@]+"${options[@]}"} \
  --include=ca-certificates \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-include=/usr/share/doc/*/copyright' \
  --customize-hook="$root_hook" \
  bookworm "$root_archive" \
  'deb http://deb.debian.org/debian bookworm main' \
  'deb http://deb.debian.org/debian bookworm-updates main' \
  'deb http://deb.debian.org/debian-security bookworm-security main'
as_root cat "$root_archive" | engine import --change 'CMD ["bash"]' --message 'mmdebstrap minbase' - "$image" >/dev/null
note "made from Debian's packages"
