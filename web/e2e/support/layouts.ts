/** Typing as keyboards of several countries do, with the events that browsers make of them. */

import type { CDPSession, Page } from 'playwright-core';

/** A key: its place, and what is held with it. */
interface Press {
  readonly code: string;
  readonly shift?: boolean;
  readonly altGr?: boolean;
  /** The dead key before it. */
  readonly dead?: Press;
}

/** Characters and the keys that give them; what is missing is where the US layout has it. */
export type Layout = Readonly<Record<string, Press>>;

const plain = (characters: string, codes: string, more: Omit<Press, 'code'> = {}): Layout => {
  const all = codes.split(' ');
  return Object.fromEntries(
    [...characters].map((character, at) => [character, { code: all[at] ?? '', ...more }]),
  );
};
const DIGITS = 'Digit1 Digit2 Digit3 Digit4 Digit5 Digit6 Digit7 Digit8 Digit9 Digit0';
const letters = (swapped: Readonly<Record<string, string>>): Layout =>
  Object.fromEntries(
    [...'abcdefghijklmnopqrstuvwxyz'].flatMap((letter): [string, Press][] => {
      const code = swapped[letter] ?? `Key${letter.toUpperCase()}`;
      return [
        [letter, { code }],
        [letter.toUpperCase(), { code, shift: true }],
      ];
    }),
  );

const US: Layout = {
  ...letters({}),
  ...plain('1234567890', DIGITS),
  ...plain('!@#$%^&*()', DIGITS, { shift: true }),
  ...plain(
    "-=[];'`\\,./ ",
    'Minus Equal BracketLeft BracketRight Semicolon Quote Backquote Backslash Comma Period Slash Space',
  ),
  ...plain(
    '_+{}:"~|<>?',
    'Minus Equal BracketLeft BracketRight Semicolon Quote Backquote Backslash Comma Period Slash',
    { shift: true },
  ),
};

const GERMAN: Layout = {
  ...letters({ y: 'KeyZ', z: 'KeyY' }),
  ...plain('1234567890ß', `${DIGITS} Minus`),
  ...plain('!"§$%&/()=?', `${DIGITS} Minus`, { shift: true }),
  ...plain('öäü', 'Semicolon Quote BracketLeft'),
  ...plain('ÖÄÜ', 'Semicolon Quote BracketLeft', { shift: true }),
  ...plain('+#,.-<', 'BracketRight Backslash Comma Period Slash IntlBackslash'),
  ...plain("*';:_>", 'BracketRight Backslash Comma Period Slash IntlBackslash', { shift: true }),
  ...plain('²³{[]}\\', 'Digit2 Digit3 Digit7 Digit8 Digit9 Digit0 Minus', { altGr: true }),
  ...plain('€@~|µ', 'KeyE KeyQ BracketRight IntlBackslash KeyM', { altGr: true }),
  ' ': { code: 'Space' },
};

const CIRCUMFLEX: Press = { code: 'BracketLeft' };
const DIAERESIS: Press = { code: 'BracketLeft', shift: true };
const TILDE: Press = { code: 'Digit2', altGr: true };
const FRENCH: Layout = {
  ...letters({ a: 'KeyQ', q: 'KeyA', z: 'KeyW', w: 'KeyZ', m: 'Semicolon' }),
  ...plain('&é"\'(-è_çà)=', `${DIGITS} Minus Equal`),
  ...plain('1234567890°+', `${DIGITS} Minus Equal`, { shift: true }),
  ...plain(',;:!ù*$', 'KeyM Comma Period Slash Quote Backslash BracketRight'),
  ...plain('?./§%µ£', 'KeyM Comma Period Slash Quote Backslash BracketRight', { shift: true }),
  ...plain('{[|\\@]}', 'Digit4 Digit5 Digit6 Digit8 Digit0 Minus Equal', { altGr: true }),
  ...plain('êîôûâ', 'KeyE KeyI KeyO KeyU KeyQ', { dead: CIRCUMFLEX }),
  ...plain('ëïü', 'KeyE KeyI KeyU', { dead: DIAERESIS }),
  ...plain('ñ', 'KeyN', { dead: TILDE }),
  ' ': { code: 'Space' },
};

export const LAYOUTS = { US, German: GERMAN, French: FRENCH } as const;

const SHIFT = 8;

/** Types a text with the keys of a layout. */
export async function typeWith(page: Page, layout: Layout, text: string): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  const key = (type: 'rawKeyDown' | 'keyDown' | 'keyUp', name: string, code: string, more = {}) =>
    protocol.send('Input.dispatchKeyEvent', { type, key: name, code, ...more });
  const strike = async (press: Press, name: string, written: string | undefined) => {
    const modifiers = press.shift ? SHIFT : 0;
    if (press.shift) {
      await key('rawKeyDown', 'Shift', 'ShiftLeft', { modifiers, location: 1 });
    }
    if (press.altGr) await key('rawKeyDown', 'AltGraph', 'AltRight', { location: 2 });
    if (written === undefined) await key('rawKeyDown', name, press.code, { modifiers });
    else await key('keyDown', name, press.code, { modifiers, text: written });
    await key('keyUp', name, press.code, { modifiers });
    if (press.altGr) await key('keyUp', 'AltGraph', 'AltRight', { location: 2 });
    if (press.shift) await key('keyUp', 'Shift', 'ShiftLeft', { location: 1 });
  };
  for (const character of text) {
    const press = layout[character];
    if (!press) throw new Error(`the layout has no key for ${character}`);
    if (press.dead) await strike(press.dead, 'Dead', undefined);
    await strike(press, character, character);
  }
  await protocol.detach();
}

/** What an input method shows while one types, and what it writes in the end. */
export interface Composition {
  readonly steps: readonly string[];
  readonly written: string;
}

/** Types as with an input method: keys that it takes, its preview, its text. */
export async function compose(page: Page, parts: readonly Composition[]): Promise<void> {
  const protocol = await page.context().newCDPSession(page);
  for (const { steps, written } of parts) {
    for (const step of steps) {
      await taken(protocol, 'KeyN');
      const end = step.length;
      await protocol.send('Input.imeSetComposition', {
        ...{ text: step, selectionStart: end, selectionEnd: end },
      });
    }
    await taken(protocol, 'Enter');
    await protocol.send('Input.insertText', { text: written });
  }
  await protocol.detach();
}

/** A key that the input method takes. */
async function taken(protocol: CDPSession, code: string): Promise<void> {
  const event = { key: 'Process', code, windowsVirtualKeyCode: 229 };
  await protocol.send('Input.dispatchKeyEvent', { type: 'rawKeyDown', ...event });
  await protocol.send('Input.dispatchKeyEvent', { type: 'keyUp', key: 'n', code });
}
