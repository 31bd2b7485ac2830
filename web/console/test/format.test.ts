import { describe, expect, it } from 'vitest';
import { bytes, duration, timeLeft } from '../src/lib/format';
import { imageFault } from '../src/lib/image';
import { parseKasmLink } from '../src/login/kasm-link';

describe('duration', () => {
  it.each([
    [0, '0 s'],
    [-5, '0 s'],
    [59_999, '59 s'],
    [60_000, '1 min'],
    [95_000, '1 min 35 s'],
    [600_000, '10 min'],
    [3_600_000, '1 h'],
    [7_500_000, '2 h 5 min'],
    [90_000_000, '1 d 1 h'],
  ])('%d ms is %s', (ms, text) => expect(duration(ms)).toBe(text));
});

describe('timeLeft', () => {
  it('counts down to zero and not below', () => {
    const now = Date.parse('2026-01-01T00:00:00Z');
    expect(timeLeft('2026-01-01T00:01:00Z', now)).toBe(60_000);
    expect(timeLeft('2025-12-31T00:00:00Z', now)).toBe(0);
    expect(timeLeft(null, now)).toBeUndefined();
    expect(timeLeft('soon', now)).toBeUndefined();
  });
});

describe('bytes', () => {
  it('uses binary units', () => {
    expect(bytes(512 * 1024 ** 2)).toBe('512 MiB');
    expect(bytes(2.7 * 1024 ** 3)).toBe('2.7 GiB');
  });
});

describe('imageFault', () => {
  it.each([
    'porthole/terminal:1.0',
    'debian:bookworm',
    'registry.example.com:5000/kasm-custom:1.0',
    'localhost/x:1',
    `debian@sha256:${'a'.repeat(64)}`,
  ])('takes %s', (image) => expect(imageFault(image)).toBeUndefined());

  it('asks for a tag', () => {
    expect(imageFault('debian')).toBe('no-tag');
    expect(imageFault('registry.example.com:5000/debian')).toBe('no-tag');
    expect(imageFault(' ')).toBe('empty');
  });

  it.each(['Debian:1', 'a b:1', 'a//b:1', 'a:', 'a:-x', 'a@sha256:12', '-a:1', '$(x):1'])(
    'refuses %s',
    (image) => expect(imageFault(image)).toBe('malformed'),
  );
});

describe('parseKasmLink', () => {
  it('reads both spellings of ids', () => {
    expect(parseKasmLink('#/connect/kasm/3fa85f64-5717-4562-b3fc-2c963f66afa6/u1/tok.en')).toEqual({
      session: '3fa85f64-5717-4562-b3fc-2c963f66afa6',
      token: 'tok.en',
    });
    expect(parseKasmLink('#/connect/kasm/3fa85f6457174562b3fc2c963f66afa6/u1/t')?.session).toBe(
      '3fa85f64-5717-4562-b3fc-2c963f66afa6',
    );
  });

  it('refuses what is none', () => {
    for (const bad of ['', '#/connect/kasm/x/u/t', '#/elsewhere', '#/connect/kasm//u/t']) {
      expect(parseKasmLink(bad)).toBeUndefined();
    }
  });
});
