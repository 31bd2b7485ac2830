#!/usr/bin/env bash
# Everything that is checked without running the product.
set -euo pipefail
# shellcheck source=lib.sh
. "$(dirname "$0")/lib.sh"
steps=5
require_cargo
cd "$root"

step "Formatting (cargo fmt)"
cargo fmt --all --check || die "some Rust files are not formatted." "Run 'make fmt'."

step "Dependency rules and file sizes (cargo xtask tidy)"
cargo run --quiet --release --locked -p xtask -- tidy

step "Clippy"
# The release profile shares its C libraries and build scripts with the release build.
cargo clippy --quiet --release --locked --workspace --all-targets -- -D warnings

step "Shell scripts (shellcheck)"
if have shellcheck; then
  git ls-files -z '*.sh' | xargs -0 shellcheck --external-sources --exclude=SC1091
else
  note "shellcheck is not installed; 'scripts/setup.sh test' does that"
fi

step "Licences and sources of the dependencies (cargo deny)"
if have cargo-deny; then
  cargo deny --log-level error check licenses bans sources
  # The advisory database is a git repository on the Internet; without it the rest still counts.
  if timeout 60 cargo deny --log-level error fetch db >/dev/null 2>&1; then cargo deny --log-level error check advisories
  else note "the advisory database cannot be reached; advisories were not checked"; fi
else
  note "cargo-deny is not installed ('cargo install --locked cargo-deny'); licences were not checked"
fi
