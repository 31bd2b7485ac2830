import { expect, it } from 'vitest';
import { kept, NO_ZOOM, pinched, zoomed } from '../src/zoom';

const AREA = { width: 400, height: 800 };
const WHOLE = { left: 0, top: 0, width: 400, height: 800 };
const WIDE = { left: 0, top: 300, width: 400, height: 200 };
const pinch = (by: number, pageX: number, pageY: number, x = 0, y = 0) => ({
  ...{ by, pageX, pageY, x, y },
});

it('what is between the fingers stays there', () => {
  const zoom = pinched(NO_ZOOM, pinch(2, 100, 200));
  expect(100 * zoom.factor + zoom.x).toBe(100);
  expect(200 * zoom.factor + zoom.y).toBe(200);
  // Drawn to another place it comes along.
  const drawn = pinched(zoom, pinch(1, 130, 210, 30, 10));
  expect(100 * drawn.factor + drawn.x).toBe(130);
  expect(200 * drawn.factor + drawn.y).toBe(210);
});

it('the picture covers the area', () => {
  const right = kept(pinched(NO_ZOOM, pinch(2, 0, 0, 500, 500)), WHOLE, AREA);
  expect(zoomed(right, WHOLE)).toEqual({ left: 0, top: 0, width: 800, height: 1600 });
  const left = kept(pinched(NO_ZOOM, pinch(2, 0, 0, -5000, -5000)), WHOLE, AREA);
  expect(zoomed(left, WHOLE)).toEqual({ left: -400, top: -800, width: 800, height: 1600 });
});

it('what is smaller than the area stays in its middle', () => {
  const zoom = kept(pinched(NO_ZOOM, pinch(2, 0, 300)), WIDE, AREA);
  expect(zoomed(zoom, WIDE)).toEqual({ left: 0, top: 200, width: 800, height: 400 });
});

it('goes back to where it began', () => {
  const zoom = pinched(pinched(NO_ZOOM, pinch(3, 50, 60)), pinch(0.1, 200, 300));
  expect(zoom.factor).toBe(1);
  expect(kept(zoom, WIDE, AREA)).toEqual(NO_ZOOM);
});

it('ends at a largest zoom', () => {
  expect(pinched(NO_ZOOM, pinch(100, 0, 0)).factor).toBe(6);
});
