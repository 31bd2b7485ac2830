import type { Problem } from './types';

/** An answer that is not a success, or none at all. */
export class ApiError extends Error {
  constructor(
    /** The HTTP status; 0 when the server could not be reached. */
    readonly status: number,
    readonly problem: Problem,
    /** Seconds that the server asks to wait. */
    readonly retryAfter?: number,
  ) {
    super(problem.detail ?? problem.title ?? `HTTP ${status}`);
    this.name = 'ApiError';
  }

  /** Messages of a refused form by field. */
  get fields(): Record<string, string> {
    return Object.fromEntries((this.problem.errors ?? []).map((e) => [e.field, e.message]));
  }
}

/** The error of an answer, whatever its body is. */
export function errorOf(response: Response, body: unknown): ApiError {
  const problem: Problem =
    typeof body === 'object' && body !== null
      ? (body as Problem)
      : { status: response.status, title: response.statusText };
  const after = Number(response.headers.get('retry-after'));
  return new ApiError(
    response.status,
    problem,
    Number.isFinite(after) && after > 0 ? after : undefined,
  );
}
