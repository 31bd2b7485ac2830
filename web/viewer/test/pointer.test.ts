import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Button, buttonsOf, PointerMessages } from '../src/input/pointer-messages';
import { Touch } from '../src/input/touch';
import { WheelAxis } from '../src/input/wheel';

let sent: string[];
let frames: (() => void)[];
let pointer: PointerMessages;
const nextFrame = () => {
  const callbacks = frames;
  frames = [];
  for (const callback of callbacks) callback();
};
const at = (x: number, y: number) => ({ x, y });

beforeEach(() => {
  sent = [];
  frames = [];
  pointer = new PointerMessages(
    (buttons, x, y) => sent.push(`${buttons}@${x},${y}`),
    (callback) => frames.push(callback),
  );
});

it('buttonsOf orders them as RFB does', () => {
  expect([1, 2, 4, 8, 16, 3].map(buttonsOf)).toEqual([1, 4, 2, 128, 256, 5]);
});

describe('PointerMessages', () => {
  it('sends the first move at once, and one for each frame after it', () => {
    for (let x = 1; x < 6; x += 1) pointer.move(at(x, 0));
    expect(sent).toEqual(['0@1,0']);
    nextFrame();
    expect(sent).toEqual(['0@1,0', '0@5,0']);
    pointer.move(at(6, 0));
    expect(sent).toHaveLength(2);
    nextFrame();
    nextFrame();
    expect(sent).toEqual(['0@1,0', '0@5,0', '0@6,0']);
    pointer.move(at(7, 0));
    expect(sent).toHaveLength(4);
  });

  it('sends buttons at once, where they are pressed', () => {
    pointer.move(at(1, 1));
    pointer.move(at(2, 2));
    pointer.press(Button.left, at(3, 3));
    pointer.press(0, at(3, 3));
    nextFrame();
    expect(sent).toEqual(['0@1,1', '1@3,3', '0@3,3']);
  });

  it('holds buttons while the wheel turns', () => {
    pointer.press(Button.left, at(3, 3));
    pointer.step(Button.wheelDown, at(4, 4));
    pointer.release();
    expect(sent).toEqual(['1@3,3', '17@4,4', '1@4,4', '0@4,4']);
  });
});

describe('WheelAxis', () => {
  const wheel = (distances: number[], mode = 0, every = 10) => {
    const axis = new WheelAxis();
    return distances.map((distance, index) => axis.steps(distance, mode, index * every));
  };

  it('makes a notch one step, whatever it measures', () => {
    expect(wheel([100, 120, -100, 53, 240])).toEqual([1, 1, -1, 1, 2]);
    expect(wheel([3, -3], 1)).toEqual([1, -1]);
  });

  it('adds up small distances', () => {
    expect(wheel([20, 20, 20, 20, 20, 0])).toEqual([0, 0, 1, 0, 1, 0]);
  });

  it('begins anew after a pause and when turned back', () => {
    expect(wheel([30, 30], 0, 1000)).toEqual([0, 0]);
    expect(wheel([30, -30, -30])).toEqual([0, 0, -1]);
  });
});

describe('Touch', () => {
  let touch: Touch;
  const finger = (x: number, y: number) => ({ pageX: x, pageY: y, place: at(x, y) });

  beforeEach(() => {
    vi.useFakeTimers();
    touch = new Touch(pointer);
  });
  afterEach(() => vi.useRealTimers());

  it('clicks with a tap', () => {
    touch.down(1, finger(5, 5));
    touch.move(1, finger(7, 5));
    touch.up(1);
    expect(sent).toEqual(['0@5,5', '1@5,5', '0@5,5']);
  });

  it('clicks right with two fingers', () => {
    touch.down(1, finger(5, 5));
    touch.down(2, finger(50, 5));
    touch.up(2);
    touch.up(1);
    expect(sent).toEqual(['0@5,5', '4@50,5', '0@50,5']);
  });

  it('drags from where the finger came down', () => {
    touch.down(1, finger(5, 5));
    touch.move(1, finger(30, 5));
    nextFrame();
    touch.up(1);
    expect(sent).toEqual(['0@5,5', '1@5,5', '1@30,5', '0@30,5']);
  });

  it('drags right with a finger that was held', () => {
    touch.down(1, finger(5, 5));
    vi.advanceTimersByTime(700);
    touch.up(1);
    expect(sent).toEqual(['0@5,5', '4@5,5', '0@5,5']);
  });

  it('scrolls with two fingers, along with the page under them', () => {
    touch.down(1, finger(50, 300));
    touch.down(2, finger(90, 300));
    for (let y = 290; y >= 180; y -= 10) {
      touch.move(1, finger(50, y));
      touch.move(2, finger(90, y));
    }
    touch.up(1);
    touch.up(2);
    const steps = sent.filter((message) => message.startsWith(`${Button.wheelDown}@`));
    expect(steps).toHaveLength(2);
    expect(sent.some((message) => message.startsWith('1@'))).toBe(false);
  });
});
