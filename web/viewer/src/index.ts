export { CLIPBOARD_LIMIT, type ClipboardAccess, ClipboardSync, readAccess } from './clipboard';
export { closeReason, type EndReason } from './close';
export type { ScaleMode, Size } from './geometry';
export { devicePixels } from './geometry';
export { COMBINATIONS, type Combination, pasteShortcut } from './keys';
export {
  GrantError,
  type Quality,
  type StreamGrant,
  Viewer,
  type ViewerListener,
  type ViewerState,
} from './viewer';
