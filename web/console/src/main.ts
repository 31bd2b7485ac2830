/** The page's beginning: the desktop first, where one was asked for; then the console. */

import { beginEarly } from './session/screen';

const session = /^\/session\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/.exec(
  window.location.pathname,
)?.[1];
if (session) {
  void beginEarly(session).then(() => {
    void import('./start');
    // All that its page needs comes at once, not one after the other.
    void import('./session/page');
    void import('./shell/signed-in');
  });
} else {
  void import('./start');
}
