/** Key symbols of X (keysymdef.h, XF86keysym.h) for what the DOM calls keys. */

/** The local system, as far as keys differ. */
export type Platform = 'mac' | 'windows' | 'other';

/** What a key event says of its key. */
export interface KeyName {
  readonly key: string;
  readonly code: string;
  readonly location: number;
}

const RIGHT = 2;
const NUMBER_PAD = 3;

const NAMED: Readonly<Record<string, number>> = {
  Backspace: 0xff08,
  Tab: 0xff09,
  Clear: 0xff0b,
  Enter: 0xff0d,
  Pause: 0xff13,
  ScrollLock: 0xff14,
  Escape: 0xff1b,
  Compose: 0xff20,
  KanjiMode: 0xff21,
  NonConvert: 0xff22,
  Convert: 0xff23,
  Romaji: 0xff24,
  Hiragana: 0xff25,
  Katakana: 0xff26,
  HiraganaKatakana: 0xff27,
  Zenkaku: 0xff28,
  Hankaku: 0xff29,
  ZenkakuHankaku: 0xff2a,
  KanaMode: 0xff2d,
  Alphanumeric: 0xff30,
  HangulMode: 0xff31,
  HanjaMode: 0xff34,
  Home: 0xff50,
  ArrowLeft: 0xff51,
  ArrowUp: 0xff52,
  ArrowRight: 0xff53,
  ArrowDown: 0xff54,
  PageUp: 0xff55,
  PageDown: 0xff56,
  End: 0xff57,
  Select: 0xff60,
  PrintScreen: 0xff61,
  Execute: 0xff62,
  Insert: 0xff63,
  Undo: 0xff65,
  Redo: 0xff66,
  ContextMenu: 0xff67,
  Find: 0xff68,
  Cancel: 0xff69,
  Help: 0xff6a,
  NumLock: 0xff7f,
  CapsLock: 0xffe5,
  Delete: 0xffff,
  AltGraph: 0xfe03,
  AudioVolumeDown: 0x1008ff11,
  AudioVolumeMute: 0x1008ff12,
  AudioVolumeUp: 0x1008ff13,
  MediaPlayPause: 0x1008ff14,
  MediaStop: 0x1008ff15,
  MediaTrackPrevious: 0x1008ff16,
  MediaTrackNext: 0x1008ff17,
  BrowserHome: 0x1008ff18,
  LaunchMail: 0x1008ff19,
  BrowserSearch: 0x1008ff1b,
  BrowserBack: 0x1008ff26,
  BrowserForward: 0x1008ff27,
  BrowserStop: 0x1008ff28,
  BrowserRefresh: 0x1008ff29,
  BrowserFavorites: 0x1008ff30,
};

/** The left one of a pair; the right one's number is one higher. */
const PAIRS: Readonly<Record<string, number>> = {
  Shift: 0xffe1,
  Control: 0xffe3,
  Alt: 0xffe9,
  Meta: 0xffeb,
  OS: 0xffeb,
  Super: 0xffeb,
  Hyper: 0xffed,
};

const NUMBER_PAD_KEYS: Readonly<Record<string, number>> = {
  Enter: 0xff8d,
  Home: 0xff95,
  ArrowLeft: 0xff96,
  ArrowUp: 0xff97,
  ArrowRight: 0xff98,
  ArrowDown: 0xff99,
  PageUp: 0xff9a,
  PageDown: 0xff9b,
  End: 0xff9c,
  Clear: 0xff9d,
  Insert: 0xff9e,
  Delete: 0xff9f,
  '*': 0xffaa,
  '+': 0xffab,
  ',': 0xffac,
  '-': 0xffad,
  '.': 0xffae,
  '/': 0xffaf,
  '=': 0xffbd,
};

/**
 * On a Mac, Option chooses characters as AltGr does elsewhere, and Command has no counterpart: the
 * left one stands for Alt, which would otherwise be missing.
 */
const MAC: Readonly<Record<string, number>> = {
  AltLeft: 0xfe03,
  AltRight: 0xfe03,
  MetaLeft: 0xffe9,
  MetaRight: 0xffeb,
};

/** The symbol of a character. */
export function keysymOfCharacter(character: string): number {
  const point = character.codePointAt(0) ?? 0;
  if (point === 0x0a || point === 0x0d) return 0xff0d;
  if (point === 0x09) return 0xff09;
  const latin = (point >= 0x20 && point <= 0x7e) || (point >= 0xa0 && point <= 0xff);
  return latin ? point : 0x01000000 + point;
}

/** The symbol of a key; 0 where its name says nothing. */
export function keysymOf({ key, code, location }: KeyName, platform: Platform): number {
  if (platform === 'mac') {
    const special = MAC[code];
    if (special !== undefined) return special;
  }
  if (location === NUMBER_PAD) {
    const symbol = NUMBER_PAD_KEYS[key];
    if (symbol !== undefined) return symbol;
    if (/^[0-9]$/.test(key)) return 0xffb0 + Number(key);
  }
  if ([...key].length === 1) return keysymOfCharacter(key);
  const pair = PAIRS[key];
  if (pair !== undefined) return location === RIGHT ? pair + 1 : pair;
  const f = /^F([1-9][0-9]?)$/.exec(key);
  if (f) return 0xffbe + Number(f[1]) - 1;
  return NAMED[key] ?? 0;
}

/** What the browser runs on. */
export function platform(): Platform {
  if (/Mac|iPhone|iPad/.test(navigator.platform)) return 'mac';
  return /Win/.test(navigator.platform) ? 'windows' : 'other';
}
