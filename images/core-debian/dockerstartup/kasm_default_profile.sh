#!/bin/bash
# First of the three start-up scripts: the home directory.
# An empty home (a new session, or a new persistent profile mounted over it) is filled from the
# image's default profile; then the next script takes over.
set -u

if [[ ! -e "$HOME/.bashrc" ]]; then
  if ! cp -a /home/kasm-default-profile/. "$HOME/"; then
    echo "porthole: the home $HOME could not be filled; is it writable for uid $(id -u)?" >&2
  fi
fi
mkdir -p "$HOME/Desktop" "$HOME/Downloads" "$HOME/Uploads" 2>/dev/null
for name in Downloads Uploads; do
  [[ -e "$HOME/Desktop/$name" || -L "$HOME/Desktop/$name" ]] || ln -s "$HOME/$name" "$HOME/Desktop/$name" 2>/dev/null
done

exec "$@"
