import { ApiError } from '@porthole/api';
import i18next from 'i18next';

/** A server's remark such as `it is empty` as a sentence. */
export function sentence(text: string): string {
  const begun = text.charAt(0).toLocaleUpperCase() + text.slice(1);
  return /[.?]$/.test(begun) ? begun : `${begun}.`;
}

/** An error as a sentence for people. */
export function errorText(error: unknown): string {
  const t = i18next.t;
  if (!(error instanceof ApiError)) return error instanceof Error ? error.message : String(error);
  if (error.status === 0) return t('error.unreachable');
  const { detail, title } = error.problem;
  if (detail) return sentence(detail);
  if (error.status === 403) return t('error.forbidden');
  return title || t('error.unknown', { status: error.status });
}
