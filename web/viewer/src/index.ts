export { CLIPBOARD_LIMIT, type ClipboardAccess, ClipboardSync, readAccess } from './clipboard';
export { closeReason, type EndReason } from './close';
export type { InputModes } from './connection';
export type { ScaleMode, Size } from './geometry';
export { devicePixels } from './geometry';
export type { KeyboardMode } from './input/keyboard';
export type { Sticky, StickyState } from './input/sticky';
export type { TouchMode } from './input/touch';
export { COMBINATIONS, type Combination, MODIFIERS, pasteShortcut, ROW_KEYS } from './keys';
export {
  between,
  CODEC_COLOURS,
  CODECS,
  type Codec,
  type Statistics,
  type Totals,
} from './statistics';
export {
  GrantError,
  type Quality,
  type StreamGrant,
  Viewer,
  type ViewerListener,
  type ViewerState,
} from './viewer';
