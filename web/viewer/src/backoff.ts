/** Waiting times between attempts to reconnect. */

/** How long to wait, in milliseconds. */
export interface BackoffLimits {
  /** The first wait. */
  readonly first: number;
  /** The longest wait. */
  readonly longest: number;
}

/** A network that comes back is noticed soon, a server that is down is not flooded. */
export const RECONNECT: BackoffLimits = { first: 500, longest: 15_000 };

/**
 * The wait before attempt number `attempt` (from 0): doubles up to the longest, with up to a
 * quarter of it taken off at random so that many viewers do not return in step.
 *
 * `random` is a number from 0 (included) to 1 (excluded).
 */
export function backoff(attempt: number, limits: BackoffLimits, random: number): number {
  const doubled = limits.first * 2 ** Math.min(Math.max(attempt, 0), 30);
  const wait = Math.min(doubled, limits.longest);
  return Math.round(wait * (1 - random / 4));
}
