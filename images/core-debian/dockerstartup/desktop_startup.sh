#!/bin/bash
# The window manager. Images with one application keep this one: every window maximised, without a
# title bar, following the display's size. Images with a desktop replace this file.
exec openbox --config-file "${PORTHOLE_OPENBOX_CONFIG:-/etc/porthole/openbox/rc.xml}"
