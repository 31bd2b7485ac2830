#!/bin/bash
# shellcheck source=../../core-debian/dockerstartup/lib/application.sh
. /dockerstartup/lib/application.sh

# A terminal opens no addresses.
unset KASM_URL LAUNCH_URL
run_application xfce4-terminal --disable-server --hide-menubar -- "$@"
