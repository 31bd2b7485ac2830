#!/usr/bin/env bash
# Builds the display image and the workspace images that are absent or whose sources have changed.
# `images.sh --force` builds all of them anew; `images.sh terminal …` only those named.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"

force=''
wanted=()
for argument in "$@"; do
  case "$argument" in
    --force) force=1 ;;
    -*) die "unknown option $argument" "Usage: images.sh [--force] [display] [core-debian] [terminal] [desktop] [firefox] [chromium] [libreoffice]" ;;
    *) wanted+=("$argument") ;;
  esac
done
[[ ${#wanted[@]} -gt 0 ]] || wanted=(display core-debian terminal desktop firefox chromium libreoffice)
steps=$((${#wanted[@]} + 1))

nested_base() { PORTHOLE_NESTED=1 "$root/scripts/base-image.sh" >/dev/null; }
step "Base image debian:bookworm"
nested_base

core_hash=$(content_hash images/core-debian)
mapfile -t proxy < <(proxy_build_arguments)

# build NAME: only when the content's label differs.
build() {
  local name=$1 image=porthole/$1:1.0 hash log=$PORTHOLE_CACHE/image-$1.log started=$SECONDS
  [[ -f "$root/images/$name/Dockerfile" ]] || die "there is no image named '$name'" "Those that are: $(cd "$root/images" && echo */Dockerfile | sed 's#/Dockerfile##g')"
  hash=$core_hash
  [[ "$name" == core-debian ]] || hash=$(echo "$core_hash $(content_hash "images/$name")" | sha256sum | cut -c1-32)
  if [[ -z "$force" && "$(image_label "$image" porthole.content)" == "$hash" ]]; then
    note "$image is up to date"
    return
  fi
  # A base that others need comes first, whatever was asked for.
  if [[ "$name" != core-debian ]] && ! image_present porthole/core-debian:1.0; then build core-debian; fi
  local options=()
  [[ -z "$force" ]] || options+=(--no-cache)
  engine build ${options[@]+"${options[@]}"} ${proxy[@]+"${proxy[@]}"} --label "porthole.content=$hash" \
    --tag "$image" "$root/images/$name" >"$log" 2>&1 &
  local process=$! line=''
  while kill -0 "$process" 2>/dev/null; do
    if [[ -t 1 ]]; then
      line=$(tail -n 1 "$log" 2>/dev/null | tr -d '\r\033' | cut -c1-90)
      printf '\r\033[K      %3d s  %s' "$((SECONDS - started))" "$line"
      sleep 0.5
    else
      # Without a terminal one line says that it goes on.
      ((SECONDS - started < 60 || (SECONDS - started) % 60 != 0)) || note "$((SECONDS - started)) s: $(tail -n 1 "$log" | tr -d '\r\033' | cut -c1-90)"
      sleep 1
    fi
  done
  [[ ! -t 1 ]] || printf '\r\033[K'
  if ! wait "$process"; then
    tail -n 25 "$log" >&2
    die "the image $image could not be built; the whole output is in $log" "When Debian's servers could not be reached: check the network from inside a container with 'docker run --rm debian:bookworm apt-get update'."
  fi
  note "$image built in $((SECONDS - started)) s"
}

for name in "${wanted[@]}"; do
  if [[ "$name" == display ]]; then
    step "Display image"
    [[ -x "$root/scripts/build-display.sh" ]] || die "scripts/build-display.sh is missing" "The clone is not complete; fetch it anew."
    PORTHOLE_FORCE=$force nested build-display.sh
  else
    step "Image porthole/$name:1.0"
    build "$name"
  fi
done
