#!/bin/bash
# What runs in a session of the core image itself and of images that only add packages to it: a
# panel with the installed applications. Images with one application replace this file.
# shellcheck source=lib/application.sh
. /dockerstartup/lib/application.sh

# An address has no meaning to a panel.
unset KASM_URL LAUNCH_URL
run_application tint2 -c /etc/porthole/tint2rc -- "$@"
