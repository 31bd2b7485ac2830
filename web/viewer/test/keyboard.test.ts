// @vitest-environment jsdom
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Keyboard } from '../src/input/keyboard';
import { keysymOf, keysymOfCharacter, type Platform } from '../src/input/keysyms';
import { scancodeOf } from '../src/input/scancodes';
import { typedText } from '../src/input/typed-text';

const key = (name: string, code = '', location = 0) => ({ key: name, code, location });

describe('keysymOf', () => {
  it.each([
    ['a', '', 0, 0x61],
    ['ä', '', 0, 0xe4],
    ['€', '', 0, 0x010020ac],
    ['😀', '', 0, 0x0101f600],
    ['Enter', 'Enter', 0, 0xff0d],
    ['Enter', 'NumpadEnter', 3, 0xff8d],
    ['7', 'Numpad7', 3, 0xffb7],
    ['Home', 'Numpad7', 3, 0xff95],
    ['Shift', 'ShiftRight', 2, 0xffe2],
    ['AltGraph', 'AltRight', 2, 0xfe03],
    ['F1', 'F1', 0, 0xffbe],
    ['F24', 'F24', 0, 0xffd5],
    ['Unidentified', '', 0, 0],
  ])('%s (%s)', (name, code, location, symbol) => {
    expect(keysymOf(key(name, code, location), 'other')).toBe(symbol);
  });

  it('has a Mac’s Option choose characters and its Command be Alt', () => {
    expect(keysymOf(key('Alt', 'AltLeft', 1), 'mac')).toBe(0xfe03);
    expect(keysymOf(key('Meta', 'MetaLeft', 1), 'mac')).toBe(0xffe9);
  });

  it('has symbols for line ends', () => {
    expect(keysymOfCharacter('\n')).toBe(0xff0d);
  });
});

it('scancodeOf knows places by their number', () => {
  const codes = [
    'Escape',
    'KeyA',
    'KeyP',
    'Slash',
    'Space',
    'F1',
    'F10',
    'Numpad7',
    'NumpadDecimal',
  ];
  expect(codes.map(scancodeOf)).toEqual([1, 0x1e, 0x19, 0x35, 0x39, 0x3b, 0x44, 0x47, 0x53]);
  const extended = ['ControlRight', 'AltRight', 'ArrowUp', 'Delete', 'MetaLeft', 'Backslash'];
  expect(extended.map(scancodeOf)).toEqual([0x9d, 0xb8, 0xc8, 0xd3, 0xdb, 0x2b]);
  expect(scancodeOf('Nowhere')).toBe(0);
});

it('typedText sees what is deleted and what is typed', () => {
  const filling = typedText.filling;
  expect(typedText(`${filling}ab`)).toEqual({ removed: 0, added: 'ab' });
  expect(typedText(filling.slice(2))).toEqual({ removed: 2, added: '' });
  expect(typedText(`${filling.slice(1)}x`)).toEqual({ removed: 1, added: 'x' });
});

describe('Keyboard', () => {
  let field: HTMLTextAreaElement;
  let sent: string[];
  let ending: AbortController;

  let keyboard: Keyboard;
  const start = (platform: Platform = 'other', live = false) => {
    keyboard = new Keyboard(
      field,
      (down, keysym, scancode) =>
        sent.push(`${down ? '+' : '-'}${keysym.toString(16)}/${scancode.toString(16)}`),
      platform,
      live,
      ending.signal,
    );
  };
  const press = (type: 'keydown' | 'keyup', name: string, code: string, more = {}) => {
    const event = new KeyboardEvent(type, { key: name, code, cancelable: true, ...more });
    field.dispatchEvent(event);
    return event.defaultPrevented;
  };
  const down = (name: string, code: string, more = {}) => press('keydown', name, code, more);
  const up = (name: string, code: string, more = {}) => press('keyup', name, code, more);

  beforeEach(() => {
    vi.useFakeTimers();
    field = document.createElement('textarea');
    sent = [];
    ending = new AbortController();
  });
  afterEach(() => {
    ending.abort();
    vi.useRealTimers();
  });

  it('releases a key as what it was pressed as', () => {
    start();
    expect(down('A', 'KeyA')).toBe(true);
    up('a', 'KeyA');
    expect(sent).toEqual(['+41/1e', '-41/1e']);
  });

  it('keeps a repeated key’s symbol', () => {
    start();
    down('A', 'KeyA');
    down('a', 'KeyA', { repeat: true });
    expect(sent).toEqual(['+41/1e', '+41/1e']);
  });

  it('releases everything when the focus goes', () => {
    start();
    down('Control', 'ControlLeft', { location: 1, ctrlKey: true });
    down('c', 'KeyC', { ctrlKey: true });
    field.dispatchEvent(new Event('blur'));
    expect(sent.slice(2)).toEqual(['-ffe3/1d', '-63/2e']);
    expect(up('c', 'KeyC')).toBe(false);
  });

  it('knows Windows’ AltGr from Control', () => {
    start('windows');
    down('Control', 'ControlLeft', { location: 1, ctrlKey: true });
    down('AltGraph', 'AltRight', { location: 2 });
    down('€', 'KeyE', { modifierAltGraph: true });
    expect(sent).toEqual(['+fe03/b8', '+10020ac/12']);
    up('€', 'KeyE', { modifierAltGraph: true });
    up('AltGraph', 'AltRight', { location: 2 });
    sent = [];
    down('Control', 'ControlLeft', { location: 1, ctrlKey: true });
    down('c', 'KeyC', { ctrlKey: true });
    expect(sent).toEqual(['+ffe3/1d', '+63/2e']);
    up('Control', 'ControlLeft');
    sent = [];
    down('Control', 'ControlLeft', { location: 1, ctrlKey: true });
    vi.advanceTimersByTime(60);
    expect(sent).toEqual(['+ffe3/1d']);
  });

  it('lets a Mac’s keys come up under Command', () => {
    start('mac');
    down('Meta', 'MetaLeft', { location: 1, metaKey: true });
    down('c', 'KeyC', { metaKey: true });
    expect(sent).toEqual(['+ffe9/db', '+63/2e', '-63/2e']);
  });

  it('leaves the input method’s keys alone and types its text', () => {
    start();
    expect(down('Process', 'KeyN', { isComposing: true })).toBe(false);
    expect(down('Dead', 'Equal')).toBe(false);
    field.value += '日é';
    field.dispatchEvent(new InputEvent('input', { isComposing: true }));
    expect(sent).toEqual([]);
    field.dispatchEvent(new CompositionEvent('compositionend'));
    expect(sent).toEqual(['+10065e5/0', '-10065e5/0', '+e9/0', '-e9/0']);
    expect(field.value).toBe(typedText.filling);
  });

  it('sends what an input method commits once, whatever the browser’s order of events', () => {
    start();
    down('Process', 'KeyN', { keyCode: 229 });
    up('n', 'KeyN');
    field.value += '日本';
    field.dispatchEvent(new InputEvent('input', { isComposing: true }));
    field.dispatchEvent(new CompositionEvent('compositionend'));
    // Firefox tells of the text again, after its end.
    field.dispatchEvent(new InputEvent('input', { isComposing: false }));
    down('Process', 'Enter', { keyCode: 229 });
    up('Enter', 'Enter');
    expect(sent).toEqual(['+10065e5/0', '-10065e5/0', '+100672c/0', '-100672c/0']);
  });

  it('sends places where those are meant, dead keys and input methods notwithstanding', () => {
    start();
    keyboard.mode = 'physical';
    expect(down('Dead', 'BracketLeft')).toBe(true);
    up('Dead', 'BracketLeft');
    down('Process', 'KeyW', { keyCode: 229 });
    up('z', 'KeyW');
    down('Shift', 'ShiftLeft', { shiftKey: true });
    down('Shift', 'ShiftLeft', { shiftKey: true, repeat: true });
    up('Shift', 'ShiftLeft');
    field.value += '日';
    field.dispatchEvent(new CompositionEvent('compositionend'));
    expect(sent).toEqual(['+0/1a', '-0/1a', '+0/11', '-0/11', '+0/2a', '-0/2a']);
  });

  it('releases what was pressed in another mode as it was pressed', () => {
    start();
    down('w', 'KeyW');
    keyboard.mode = 'physical';
    up('w', 'KeyW');
    expect(sent).toEqual(['+77/11', '-77/11']);
  });

  it('lets go of a modifier that came up unseen', () => {
    start();
    down('Alt', 'AltLeft', { altKey: true });
    down('x', 'KeyX');
    expect(sent).toEqual(['+ffe9/38', '-ffe9/38', '+78/2d']);
  });

  it('has the desktop’s locks agree with those here', () => {
    start();
    down('a', 'KeyA');
    expect(sent).toEqual(['+61/1e']);
    // Caps Lock is on there, and was turned off here in another window.
    keyboard.locksAre(4);
    down('b', 'KeyB');
    expect(sent.slice(1)).toEqual(['+ffe5/0', '-ffe5/0', '+62/30']);
    sent = [];
    down('C', 'KeyC', { modifierCapsLock: true });
    expect(sent).toEqual(['+ffe5/0', '-ffe5/0', '+43/2e']);
    sent = [];
    // The key itself is sent as any other, and not again before the desktop tells of it.
    down('CapsLock', 'CapsLock');
    up('CapsLock', 'CapsLock');
    down('d', 'KeyD');
    expect(sent).toEqual(['+ffe5/3a', '-ffe5/3a', '+64/20']);
  });

  it('leaves Num Lock alone on a Mac, which has none', () => {
    start('mac');
    keyboard.locksAre(2);
    down('a', 'KeyA');
    expect(sent).toEqual(['+61/1e']);
  });

  it('types what a keyboard on the screen writes as it comes', () => {
    start('other', true);
    expect(down('Unidentified', '')).toBe(false);
    field.value += 'h';
    field.dispatchEvent(new InputEvent('input', { isComposing: true }));
    field.value = field.value.slice(1);
    field.dispatchEvent(new InputEvent('input'));
    expect(sent).toEqual(['+68/0', '-68/0', '+ff08/0', '-ff08/0']);
  });
});
