/** Places on the keyboard: DOM codes and XT scan codes (set 1), those after 0xe0 with bit 7. */

/** Codes in the order of their numbers, from the one given. */
const ROWS: readonly (readonly [number, string])[] = [
  [0x01, 'Escape Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0'],
  [0x0c, 'Minus Equal Backspace Tab KeyQ KeyW KeyE KeyR KeyT KeyY KeyU KeyI KeyO KeyP'],
  [0x1a, 'BracketLeft BracketRight Enter ControlLeft KeyA KeyS KeyD KeyF KeyG KeyH KeyJ KeyK'],
  [0x26, 'KeyL Semicolon Quote Backquote ShiftLeft Backslash KeyZ KeyX KeyC KeyV KeyB KeyN KeyM'],
  [0x33, 'Comma Period Slash ShiftRight NumpadMultiply AltLeft Space CapsLock F1 F2 F3 F4 F5 F6'],
  [0x41, 'F7 F8 F9 F10 NumLock ScrollLock Numpad7 Numpad8 Numpad9 NumpadSubtract Numpad4 Numpad5'],
  [0x4d, 'Numpad6 NumpadAdd Numpad1 Numpad2 Numpad3 Numpad0 NumpadDecimal'],
  [0x56, 'IntlBackslash F11 F12 NumpadEqual'],
  [0x70, 'KanaMode'],
  [0x73, 'IntlRo'],
  [0x79, 'Convert'],
  [0x7b, 'NonConvert'],
  [0x7d, 'IntlYen NumpadComma'],
  [0x90, 'MediaTrackPrevious'],
  [0x99, 'MediaTrackNext'],
  [0x9c, 'NumpadEnter ControlRight'],
  [0xa0, 'AudioVolumeMute'],
  [0xa2, 'MediaPlayPause'],
  [0xa4, 'MediaStop'],
  [0xae, 'AudioVolumeDown'],
  [0xb0, 'AudioVolumeUp'],
  [0xb2, 'BrowserHome'],
  [0xb5, 'NumpadDivide'],
  [0xb7, 'PrintScreen AltRight'],
  [0xc6, 'Pause Home ArrowUp PageUp'],
  [0xcb, 'ArrowLeft'],
  [0xcd, 'ArrowRight'],
  [0xcf, 'End ArrowDown PageDown Insert Delete'],
  [0xdb, 'MetaLeft MetaRight ContextMenu'],
  [0xe5, 'BrowserSearch BrowserFavorites BrowserRefresh BrowserStop BrowserForward BrowserBack'],
  [0xec, 'LaunchMail'],
];

const SCANCODES = new Map(
  ROWS.flatMap(([first, codes]) =>
    codes.split(' ').map((code, index): [string, number] => [code, first + index]),
  ),
);

/** The scan code of a DOM code; 0 where there is none. */
export function scancodeOf(code: string): number {
  return SCANCODES.get(code) ?? 0;
}
