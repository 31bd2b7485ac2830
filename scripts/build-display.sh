#!/usr/bin/env bash
# Builds the static programs porthole-display and porthole-files, the X server's GLX driver, and the
# image porthole/display around them, when their sources have changed. PORTHOLE_FORCE=1 builds the
# image anew.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=2
require_cargo
cd "$root"

version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' Cargo.toml)
[[ -n "$version" ]] || die "Cargo.toml has no workspace version" "It stands below [workspace.package]."
image=porthole/display:$version
target=$(rustc -vV | sed -n 's/^host: //p')
case "$target" in
  *-linux-gnu) ;;
  *) die "the display's program is built on Linux with glibc; this toolchain builds for $target" "Use the toolchain of rust-toolchain.toml on a Linux machine." ;;
esac

step "Programs of the display (static, $target)"
hash=$(content_hash Cargo.lock Cargo.toml rust-toolchain.toml images/display scripts/build-display.sh \
  crates/porthole-display/Cargo.toml crates/porthole-display/src \
  crates/porthole-files/Cargo.toml crates/porthole-files/src \
  crates/porthole-glx/Cargo.toml crates/porthole-glx/src \
  crates/porthole-encode/Cargo.toml crates/porthole-encode/src \
  crates/porthole-model/Cargo.toml crates/porthole-model/src \
  crates/porthole-rfb/Cargo.toml crates/porthole-rfb/src)
if [[ -z "${PORTHOLE_FORCE:-}" && "$(image_label "$image" porthole.content)" == "$hash" ]]; then
  note "$image is up to date"
  exit 0
fi
# A folder of its own: other flags, and no waiting for builds of the rest.
display_target=$CARGO_TARGET_DIR/display
CARGO_TARGET_DIR=$display_target RUSTFLAGS="-C target-feature=+crt-static ${RUSTFLAGS:-}" \
  cargo build --release --locked -p porthole-display -p porthole-files --target "$target"
CARGO_TARGET_DIR=$display_target \
  cargo rustc --profile glx --locked -p porthole-glx --lib --crate-type cdylib --target "$target"

step "Image $image"
context=$(mktemp -d "$PORTHOLE_CACHE/display-context.XXXXXX")
trap 'rm -rf "$context"' EXIT
cp images/display/Dockerfile "$context/"
install -m 0755 "$display_target/$target/release/porthole-display" "$context/porthole-display"
install -m 0755 "$display_target/$target/release/porthole-files" "$context/porthole-files"
install -m 0644 "$display_target/$target/glx/libporthole_glx.so" "$context/swrast_dri.so"
mapfile -t proxy < <(proxy_build_arguments)
options=()
[[ -z "${PORTHOLE_FORCE:-}" ]] || options+=(--no-cache)
note "Installing the X server's packages into it takes about half a minute the first time"
quietly "$PORTHOLE_CACHE/image-display.log" engine build ${options[@]+"${options[@]}"} ${proxy[@]+"${proxy[@]}"} \
  --label "porthole.content=$hash" --tag "$image" "$context"
note "$image built"
