import { describe, expect, it } from 'vitest';
import { backoff, RECONNECT } from '../src/backoff';
import { closeReason } from '../src/close';

describe('backoff', () => {
  it('doubles up to the longest wait', () => {
    const waits = [0, 1, 2, 3, 4, 5, 6, 100].map((n) => backoff(n, RECONNECT, 0));
    expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 15000, 15000, 15000]);
  });

  it('spreads by up to a quarter, never longer', () => {
    expect(backoff(3, RECONNECT, 0.999)).toBeGreaterThanOrEqual(3000);
    expect(backoff(3, RECONNECT, 0.5)).toBe(3500);
  });
});

describe('closeReason', () => {
  it('knows what ends for good and what returns', () => {
    expect(closeReason(4410)).toEqual({ reason: 'ended', retry: false });
    expect(closeReason(4403)).toEqual({ reason: 'revoked', retry: false });
    expect(closeReason(4503)).toEqual({ reason: 'agent-lost', retry: true });
    expect(closeReason(1006)).toEqual({ reason: 'network', retry: true });
    expect(closeReason(undefined)).toEqual({ reason: 'network', retry: true });
  });
});
