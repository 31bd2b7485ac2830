import { beforeEach, expect, it } from 'vitest';
import { StickyKeys, type StickyState } from '../src/input/sticky';
import { type Key, MODIFIERS } from '../src/keys';

const [CTRL, ALT] = MODIFIERS.map(({ keys }) => keys[0]) as [Key, Key];
let sent: string[];
let state: StickyState;
let keys: StickyKeys;

beforeEach(() => {
  sent = [];
  state = {};
  keys = new StickyKeys(
    (key, down) => sent.push(`${down ? '+' : '-'}${key.code}`),
    (next) => {
      state = next;
    },
  );
});

it('a modifier is down for one key', () => {
  keys.press(CTRL);
  expect(state).toEqual({ ControlLeft: 'once' });
  keys.used();
  expect(state).toEqual({});
  keys.used();
  expect(sent).toEqual(['+ControlLeft', '-ControlLeft']);
});

it('pressed twice it stays, until it is pressed again', () => {
  keys.press(CTRL);
  keys.press(CTRL);
  keys.press(ALT);
  expect(state).toEqual({ ControlLeft: 'locked', AltLeft: 'once' });
  keys.used();
  expect(state).toEqual({ ControlLeft: 'locked' });
  keys.press(CTRL);
  expect(sent).toEqual(['+ControlLeft', '+AltLeft', '-AltLeft', '-ControlLeft']);
});

it('all come up at the end', () => {
  keys.press(CTRL);
  keys.press(ALT);
  keys.releaseAll();
  expect(sent).toEqual(['+ControlLeft', '+AltLeft', '-ControlLeft', '-AltLeft']);
  expect(state).toEqual({});
});
