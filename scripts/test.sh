#!/usr/bin/env bash
# All tests: checks of the sources, unit and integration tests, and the browser against the real
# thing. Works without a terminal; ends with a line that says how much passed.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=9
started=$SECONDS
passed=0
failed=()

# stage NAME COMMAND …: a step whose failure is told at the end; the others still run.
stage() {
  local name=$1 began=$SECONDS; shift
  step "$name"
  if "$@"; then
    passed=$((passed + 1))
    note "$name: passed in $((SECONDS - began)) s"
  else
    failed+=("$name")
    note "$name: FAILED after $((SECONDS - began)) s"
  fi
}

step "Installing what is missing"
nested setup.sh test
# shellcheck source=lib.sh
. "$root/scripts/lib.sh"
cd "$root"
start_images

step "Building the console"
build_console

stage "Web checks and unit tests" bash -c 'cd web && npm run --silent check && npm run --silent test'
stage "Source checks" env PORTHOLE_NESTED=1 scripts/lint.sh

step "Building everything (release)"
cargo build --release --locked -p porthole
cargo test --release --locked --workspace --no-run --quiet
nested images.sh display
wait_images

rust_tests() {
  # The release profile: what is tested is what ships.
  if have cargo-nextest; then
    cargo nextest run --release --locked --workspace --no-fail-fast && cargo test --release --locked --workspace --doc --quiet
  else
    cargo test --release --locked --workspace --no-fail-fast
  fi
}
stage "Rust tests" rust_tests
stage "Workspace images" images/test.sh
stage "Behind nginx" scripts/with-server.sh tests/nginx/run.sh

# Ubuntu has no Chromium outside of snaps; playwright's own does.
find_browser() {
  local program
  for program in chromium chromium-browser google-chrome; do
    # Ubuntu's chromium-browser only tells that there is a snap.
    if have "$program" && "$program" --version >/dev/null 2>&1; then command -v "$program"; return; fi
  done
  local ask='console.log(require("playwright-core").chromium.executablePath())' path
  path=$(cd web/e2e && node -e "$ask")
  [[ -x "$path" ]] || (cd web/e2e && as_root env "PATH=$PATH" npx playwright-core install-deps chromium && npx playwright-core install chromium) >"$PORTHOLE_CACHE/browser.log" 2>&1
  echo "$path"
}
browser_tests() {
  PORTHOLE_BROWSER=${PORTHOLE_BROWSER:-$(find_browser)} || return 1
  export PORTHOLE_BROWSER
  PORTHOLE_DOCKER=$(engine_cli) scripts/with-server.sh npm --prefix web run --silent e2e
}
stage "Browser tests" browser_tests

minutes=$(((SECONDS - started) / 60))
for name in ${failed[@]+"${failed[@]}"}; do echo "FAILED: $name"; done
echo "$passed passed, ${#failed[@]} failed, in $minutes min"
[[ ${#failed[@]} -eq 0 ]]
