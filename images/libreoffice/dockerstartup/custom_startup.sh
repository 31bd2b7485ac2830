#!/bin/bash
# shellcheck source=../../core-debian/dockerstartup/lib/application.sh
. /dockerstartup/lib/application.sh

# Locks that a session left behind when its host went down.
rm -f "$HOME"/.config/libreoffice/4/.lock 2>/dev/null
run_application libreoffice --nologo --norestore --nofirststartwizard -- "$@"
