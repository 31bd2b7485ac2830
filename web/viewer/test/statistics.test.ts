import { expect, it } from 'vitest';
import { Meter } from '../src/engine/meter';
import { between, type Totals } from '../src/statistics';

const NONE = { lossless: 0, fill: 0, copy: 0, jpeg: 0, video: 0 };
const totals = (more: Partial<Totals>): Totals => ({
  ...{ connection: 1, age: 0, bytes: 0, updates: 0, dropped: 0, decoding: 0, drawing: 0 },
  ...{ encoding: 0, encoded: 0, roundTrips: 0, pings: 0, pixels: NONE },
  ...more,
});

it('tells rates and means of the time between two counts', () => {
  const before = totals({ age: 1000, bytes: 500, updates: 10, decoding: 50, drawing: 5 });
  const after = totals({
    ...{ age: 3000, bytes: 250_500, updates: 70, dropped: 10, decoding: 170, drawing: 35 },
    ...{ encoding: 90, encoded: 60, roundTrips: 60, pings: 2 },
    pixels: { ...NONE, lossless: 300, jpeg: 100 },
  });
  expect(between(before, after)).toEqual({
    ...{ over: 2000, frameRate: 25, bitRate: 1_000_000, dropped: 5 },
    ...{ network: 30, encode: 1.5, decode: 2, draw: 0.5 },
    pixelRate: 200,
    codecs: { ...NONE, lossless: 0.75, jpeg: 0.25 },
  });
});

it('says nothing of what did not happen', () => {
  expect(between(totals({ age: 0 }), totals({ age: 10 }))).toEqual({
    ...{ over: 10, frameRate: 0, bitRate: 0, dropped: 0 },
    ...{ network: undefined, encode: undefined, decode: undefined, draw: undefined },
    pixelRate: 0,
    codecs: NONE,
  });
});

it('does not compare two connections', () => {
  expect(between(totals({ age: 1 }), totals({ age: 5, connection: 2 }))).toBeUndefined();
});

it('counts an update that the screen did not come to show', () => {
  const frames: (() => void)[] = [];
  const meter = new Meter((then) => frames.push(then));
  meter.updated();
  meter.updated();
  meter.updated();
  frames.shift()?.();
  meter.updated();
  frames.shift()?.();
  expect(frames).toEqual([]);
  expect(meter.totals).toMatchObject({ updates: 4, dropped: 2 });
});

it('takes the time of encoding from the display’s fences', () => {
  const meter = new Meter(() => {});
  meter.fence(Uint8Array.of(0, 0, 0, 7, 0, 0, 0x07, 0xd0));
  meter.fence(Uint8Array.of(0, 0, 0, 8));
  expect(meter.totals).toMatchObject({ encoding: 2, encoded: 1 });
});
