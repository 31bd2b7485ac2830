/** The desktop's picture on the page, as the pointer sees it. */

import type { Pinch } from '../zoom';
import type { Place } from './pointer-messages';

export interface Surface {
  /** Which pixel of the desktop a place of the page shows; the nearest one, outside. */
  placeOf(pageX: number, pageY: number): Place;
  /** Pixels of the desktop along one CSS pixel. */
  density(): number;
  /** The nearest pixel that the desktop has. */
  within(place: Place): Place;
  /** Two fingers were drawn apart or together. */
  pinch(pinch: Pinch): void;
  /** A pointer without a hand above it is there; undefined: there is none. */
  showPointer(place: Place | undefined): void;
}
