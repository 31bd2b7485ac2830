import { describe, expect, it } from 'vitest';
import { devicePixels, MAX_SIDE, MIN_SIDE, pictureScale, pixelAt } from '../src/geometry';

describe('devicePixels', () => {
  it('rounds to whole device pixels', () => {
    expect(devicePixels({ width: 1280, height: 720 }, 1)).toEqual({ width: 1280, height: 720 });
    expect(devicePixels({ width: 1279.2, height: 719.6 }, 1.25)).toEqual({
      width: 1599,
      height: 900,
    });
    expect(devicePixels({ width: 333, height: 777 }, 1.5)).toEqual({ width: 500, height: 1166 });
  });

  it('stays within what RFB can say', () => {
    expect(devicePixels({ width: 0, height: Number.NaN }, 2)).toEqual({
      width: MIN_SIDE,
      height: MIN_SIDE,
    });
    expect(devicePixels({ width: 1e6, height: 100 }, 1).width).toBe(MAX_SIDE);
  });
});

describe('pictureScale', () => {
  it.each([0.5, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2, 2.625, 3])(
    'shows a matching desktop pixel by pixel at ratio %s',
    (ratio) => {
      for (const css of [
        { width: 1280, height: 720 },
        { width: 1023, height: 577 },
        { width: 411.4, height: 731.4 },
      ]) {
        const remote = devicePixels(css, ratio);
        const scale = pictureScale(remote, css, ratio, 'match');
        expect(scale.exact).toBe(true);
        // Never wider than the window by a whole device pixel: no scroll bar.
        expect(remote.width * scale.factor * ratio).toBeCloseTo(remote.width);
        expect(remote.width * scale.factor - css.width).toBeLessThan(1 / ratio);
      }
    },
  );

  it('fits a desktop of another size, keeping its shape', () => {
    const scale = pictureScale(
      { width: 1920, height: 1080 },
      { width: 360, height: 640 },
      2,
      'match',
    );
    expect(scale.exact).toBe(false);
    expect(scale.factor).toBeCloseTo(360 / 1920);
  });

  it('fits in fit mode, and finds the exact case there too', () => {
    const css = { width: 960, height: 540 };
    expect(pictureScale({ width: 1920, height: 1080 }, css, 2, 'fit').exact).toBe(true);
    expect(pictureScale({ width: 1920, height: 1080 }, css, 1, 'fit').exact).toBe(false);
  });

  it('has an answer before anything is known', () => {
    expect(pictureScale({ width: 0, height: 0 }, { width: 1, height: 1 }, 2, 'match').factor).toBe(
      0.5,
    );
  });
});

describe('pixelAt', () => {
  it.each([1, 1.25, 1.5, 2, 3])(
    'finds each pixel at its edge and its middle, ratio %d',
    (ratio) => {
      for (const pixels of [64, 700, 1080, 1202, 1920]) {
        for (let pixel = 0; pixel < pixels; pixel += 1) {
          const length = pixels / ratio;
          expect(pixelAt(pixel / ratio, length, pixels)).toBe(pixel);
          expect(pixelAt((pixel + 0.5) / ratio, length, pixels)).toBe(pixel);
        }
      }
    },
  );

  it('finds the nearest one outside', () => {
    expect([pixelAt(-3, 100, 50), pixelAt(100, 100, 50), pixelAt(1e9, 100, 50)]).toEqual([
      0, 49, 49,
    ]);
    expect(pixelAt(5, 100, 0)).toBe(0);
  });
});
