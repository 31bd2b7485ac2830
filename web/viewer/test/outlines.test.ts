import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Canvas } from '../src/engine/canvas';
import { Outlines } from '../src/engine/outlines';
import { CODEC_COLOURS } from '../src/statistics';

/** What was drawn since the canvas was cleared last. */
let drawn: string[];
let frames: (() => void)[];
let canvas: Canvas;
let outlines: Outlines;
const PICTURE = { width: 100, height: 50 };

const frame = (after = 0) => {
  vi.advanceTimersByTime(after);
  for (const then of frames.splice(0)) then();
};

beforeEach(() => {
  vi.useFakeTimers();
  drawn = [];
  frames = [];
  const context = {
    strokeStyle: '',
    clearRect: () => drawn.splice(0),
    fillRect: () => {},
    strokeRect: (...box: number[]) => drawn.push(`${context.strokeStyle} ${box}`),
  };
  canvas = { ...{ width: 0, height: 0 }, getContext: () => context } as unknown as Canvas;
  outlines = new Outlines(canvas, (then) => frames.push(then));
});
afterEach(() => {
  vi.useRealTimers();
});

it('outlines each area in its coding’s colour until it has faded, then rests', () => {
  outlines.add('jpeg', { x: 10, y: 10, width: 20, height: 20 });
  outlines.draw(PICTURE);
  outlines.draw(PICTURE);
  expect(frames).toHaveLength(1);
  frame();
  expect(canvas).toMatchObject(PICTURE);
  expect(drawn).toEqual([`${CODEC_COLOURS.jpeg} 11,11,18,18`]);
  frame(300);
  expect(drawn).toHaveLength(1);
  frame(400);
  expect(drawn).toEqual([]);
  expect(frames).toEqual([]);
});

it('outlines an area that comes again once, as it came last', () => {
  const area = { x: 0, y: 0, width: 8, height: 8 };
  for (const codec of ['video', 'video', 'lossless'] as const) outlines.add(codec, area);
  outlines.draw(PICTURE);
  frame();
  expect(drawn).toEqual([`${CODEC_COLOURS.lossless} 1,1,6,6`]);
});

it('keeps no more than it can draw', () => {
  for (let x = 0; x < 5000; x += 1) outlines.add('fill', { x, y: 0, width: 1, height: 1 });
  outlines.draw(PICTURE);
  frame();
  expect(drawn).toHaveLength(2048);
});

it('draws nothing once it is closed', () => {
  outlines.add('copy', { x: 0, y: 0, width: 8, height: 8 });
  outlines.draw(PICTURE);
  outlines.close();
  frame();
  expect(drawn).toEqual([]);
  expect(frames).toEqual([]);
});
