#!/bin/bash
# The window manager. Images with one application keep this one: every window maximised, without a
# title bar, following the display's size. Images with a desktop replace this file.

# A window that is mapped while Openbox 3.6.1 starts can stay in its event queue, unseen, until the
# next event comes. A change of a property of the root window is one, so there are some at the start.
wake() {
  local pause
  for pause in 0.1 0.1 0.1 0.1 0.2 0.2 0.2 0.5 0.5 1 1 2 4; do
    sleep "$pause"
    xprop -root -f _PORTHOLE_WAKE 32c -set _PORTHOLE_WAKE 1 2>/dev/null || return
  done
}
# Twice forked, so that the container's init, not Openbox, is left with it.
(wake &)
exec openbox --config-file "${PORTHOLE_OPENBOX_CONFIG:-/etc/porthole/openbox/rc.xml}"
