/** The page's beginning: the desktop first, where one was asked for; then the console. */

import { beginEarly } from './session/screen';

const early = window.portholeEarly;
if (early) {
  void beginEarly(early).then(() => {
    void import('./start');
    // All that its page needs comes at once, not one after the other.
    void import('./session/page');
    void import('./shell/signed-in');
  });
} else {
  void import('./start');
}
