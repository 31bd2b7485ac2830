import { expect, it } from 'vitest';
import { forServer } from '../src/session/use-statistics-report';

const CODECS = { lossless: 0.666, fill: 0, copy: 0, jpeg: 0.334, video: 0 };

it('tells whole numbers within what the server takes', () => {
  const told = forServer(
    {
      ...{ over: 30_000, frameRate: 24.6, bitRate: 1e12, dropped: -0.1, pixelRate: 5e6 },
      ...{ network: 12.3456, encode: undefined, decode: 0.2, draw: 1e9 },
      codecs: CODECS,
    },
    { width: 1000, height: 700 },
  );
  expect(told).toEqual({
    ...{ frame_rate: 25, bit_rate: 0xffff_ffff, dropped: 0 },
    ...{ network: 12_346, encode: null, decode: 200, draw: 0xffff_ffff },
    ...{ width: 1000, height: 700 },
    codecs: { lossless: 67, fill: 0, copy: 0, jpeg: 33, video: 0 },
  });
});
