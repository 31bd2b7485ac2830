import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { MotionMessages } from '../src/input/motion-messages';
import { Button, buttonsOf, PointerMessages, penButtonsOf } from '../src/input/pointer-messages';
import { Touch } from '../src/input/touch';
import { WheelAxis } from '../src/input/wheel';
import type { Pinch } from '../src/zoom';

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

it('penButtonsOf presses one button at a time', () => {
  expect([0, 1, 2, 3, 32].map(penButtonsOf)).toEqual([0, 1, 4, 4, 1]);
});

describe('MotionMessages', () => {
  let motion: MotionMessages;
  beforeEach(() => {
    motion = new MotionMessages(
      (buttons, x, y) => sent.push(`${buttons}+${x},${y}`),
      (callback) => frames.push(callback),
    );
  });

  it('adds up what moves between frames, and loses no part of a pixel', () => {
    motion.move(0.6, 0);
    expect(sent).toEqual([]);
    motion.move(0.6, -2);
    expect(sent).toEqual(['0+1,-2']);
    motion.move(3, 0);
    motion.move(3.9, 0);
    expect(sent).toHaveLength(1);
    nextFrame();
    expect(sent).toEqual(['0+1,-2', '0+7,0']);
    nextFrame();
    motion.move(1, 1);
    expect(sent).toHaveLength(3);
  });

  it('moves before it presses, and does not move when it lets go', () => {
    motion.move(2, 0);
    motion.move(5, 0);
    motion.press(Button.left);
    motion.step(Button.wheelUp);
    motion.move(9, 9);
    motion.release();
    nextFrame();
    expect(sent).toEqual(['0+2,0', '0+5,0', '1+0,0', '9+0,0', '1+0,0', '0+0,0']);
  });
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
  const wheel = (distances: number[], mode = 0, every = 10, ticks: number[] = []) => {
    const axis = new WheelAxis();
    return distances.map((distance, at) => axis.steps(distance, mode, at * every, ticks[at]));
  };

  it('makes a notch one step, whatever it measures', () => {
    const notches = [-120, -120, 120, -120, -240];
    expect(wheel([100, 120, -100, 53, 240], 0, 10, notches)).toEqual([1, 1, -1, 1, 2]);
    expect(wheel([3, -3], 1)).toEqual([1, -1]);
    expect(wheel([1, -1], 2)).toEqual([1, -1]);
  });

  it('makes parts of a notch parts of a step', () => {
    expect(wheel([1, 1, 1, 1], 1)).toEqual([0, 0, 1, 0]);
  });

  it('goes as far as a pad does, however its way is cut into events', () => {
    const far = (distances: number[]) => wheel(distances).reduce((sum, steps) => sum + steps, 0);
    expect(far(Array.from({ length: 100 }, () => 10))).toBe(20);
    expect(far(Array.from({ length: 20 }, () => 50))).toBe(20);
    expect(far(Array.from({ length: 10 }, () => 100))).toBe(20);
  });

  it('does not fly', () => {
    expect(wheel([4000, 4000])).toEqual([5, 5]);
    expect(wheel([4000], 0, 10, [-4800])).toEqual([5]);
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
  let pinches: Pinch[];
  let shown: unknown[];
  const finger = (x: number, y: number) => ({ pageX: x, pageY: y, place: at(x, y) });

  beforeEach(() => {
    vi.useFakeTimers();
    pinches = [];
    shown = [];
    touch = new Touch(pointer, {
      placeOf: at,
      density: () => 2,
      within: ({ x, y }) => at(Math.max(0, Math.min(999, x)), Math.max(0, Math.min(999, y))),
      pinch: (pinch) => pinches.push(pinch),
      showPointer: (place) => shown.push(place),
    });
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
      touch.told();
    }
    touch.up(1);
    touch.up(2);
    const steps = sent.filter((message) => message.startsWith(`${Button.wheelDown}@`));
    expect(steps).toHaveLength(2);
    expect(sent.some((message) => message.startsWith('1@'))).toBe(false);
    expect(pinches).toEqual([]);
  });

  it('scrolls with two fingers that are far on when they first tell', () => {
    touch.down(1, finger(50, 300));
    touch.down(2, finger(90, 300));
    for (const y of [200, 100]) {
      touch.move(1, finger(50, y));
      touch.move(2, finger(90, y));
      touch.told();
    }
    expect(sent.filter((message) => message.startsWith(`${Button.wheelDown}@`))).toHaveLength(4);
    expect(pinches).toEqual([]);
  });

  it('scrolls as far when a stroke is told at once', () => {
    touch.down(1, finger(50, 300));
    touch.down(2, finger(90, 300));
    touch.move(1, finger(50, 100));
    touch.move(2, finger(90, 100));
    touch.told();
    touch.up(1);
    touch.up(2);
    expect(sent.filter((message) => message.startsWith(`${Button.wheelDown}@`))).toHaveLength(4);
  });

  it('waits for both fingers before it says what they do', () => {
    touch.down(1, finger(50, 300));
    touch.down(2, finger(120, 300));
    touch.move(1, finger(50, 290));
    touch.move(2, finger(120, 290));
    touch.told();
    touch.move(1, finger(50, 100));
    touch.move(2, finger(120, 100));
    touch.told();
    expect(sent.filter((message) => message.startsWith(`${Button.wheelDown}@`))).toHaveLength(4);
    expect(pinches).toEqual([]);
  });

  it('zooms when one finger rests', () => {
    touch.down(1, finger(100, 100));
    touch.down(2, finger(200, 100));
    touch.move(2, finger(220, 100));
    touch.told();
    touch.move(2, finger(300, 100));
    touch.told();
    expect(pinches.reduce((product, pinch) => product * pinch.by, 1)).toBeCloseTo(2);
  });

  it('zooms the view with two fingers that go apart', () => {
    touch.down(1, finger(100, 100));
    touch.down(2, finger(200, 100));
    for (let step = 1; step <= 5; step += 1) {
      touch.move(1, finger(100 - 10 * step, 100));
      touch.move(2, finger(200 + 10 * step, 100));
      touch.told();
    }
    touch.up(1);
    touch.up(2);
    const by = pinches.reduce((product, pinch) => product * pinch.by, 1);
    expect(by).toBeCloseTo(2);
    expect(sent).toEqual(['0@100,100']);
  });

  describe('as a trackpad', () => {
    beforeEach(() => {
      touch.mode = 'trackpad';
      pointer.move(at(500, 500));
      nextFrame();
      sent = [];
    });

    it('moves the pointer from where it is, and shows it', () => {
      touch.down(1, finger(50, 50));
      touch.move(1, finger(70, 50));
      touch.move(1, finger(70, 40));
      nextFrame();
      touch.up(1);
      expect(sent).toEqual(['0@556,500', '0@556,472']);
      expect(shown.at(-1)).toEqual(at(556, 472));
    });

    it('clicks where the pointer is', () => {
      touch.down(1, finger(50, 50));
      touch.up(1);
      expect(sent).toEqual(['1@500,500']);
      vi.advanceTimersByTime(301);
      expect(sent).toEqual(['1@500,500', '0@500,500']);
    });

    it('clicks twice with two taps', () => {
      for (let tap = 0; tap < 2; tap += 1) {
        touch.down(1, finger(50, 50));
        touch.up(1);
      }
      vi.advanceTimersByTime(301);
      expect(sent).toEqual(['1@500,500', '0@500,500', '1@500,500', '0@500,500']);
    });

    it('drags with a finger that follows a tap', () => {
      touch.down(1, finger(50, 50));
      touch.up(1);
      touch.down(1, finger(50, 50));
      touch.move(1, finger(70, 50));
      vi.advanceTimersByTime(1000);
      touch.up(1);
      expect(sent).toEqual(['1@500,500', '1@556,500', '0@556,500']);
    });

    it('presses right with a finger that rests, and with two that tap', () => {
      touch.down(1, finger(50, 50));
      vi.advanceTimersByTime(700);
      touch.up(1);
      touch.down(1, finger(50, 50));
      touch.down(2, finger(90, 50));
      touch.up(2);
      touch.up(1);
      expect(sent).toEqual(['4@500,500', '0@500,500', '4@500,500', '0@500,500']);
    });

    it('keeps the pointer on the desktop', () => {
      touch.down(1, finger(50, 50));
      touch.move(1, finger(-2000, 50));
      expect(sent).toEqual(['0@0,500']);
    });
  });
});
