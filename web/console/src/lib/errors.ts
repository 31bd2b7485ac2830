import { notifications } from '@mantine/notifications';
import { ApiError } from '@porthole/api';
import i18next from 'i18next';

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

/** Shows an error that no form field is to blame for. */
export function showError(error: unknown): void {
  const id = error instanceof ApiError ? error.problem.request_id : undefined;
  notifications.show({
    color: 'red.8',
    autoClose: 10_000,
    message: id
      ? `${errorText(error)} (${i18next.t('error.requestId', { id })})`
      : errorText(error),
  });
}

/** Tells of a success. */
export function tell(message: string): void {
  notifications.show({ message, color: 'teal.8' });
}

/** A server's remark such as `it is empty` as a sentence. */
function sentence(text: string): string {
  const begun = text.charAt(0).toLocaleUpperCase() + text.slice(1);
  return /[.?]$/.test(begun) ? begun : `${begun}.`;
}

/** Puts the server's judgements beside the fields; tells the rest as a notification. */
export function placeErrors(
  error: unknown,
  fields: readonly string[],
  setErrors: (errors: Record<string, string>) => void,
): void {
  const all = error instanceof ApiError ? error.fields : {};
  const known: Record<string, string> = {};
  const rest: string[] = [];
  for (const [field, message] of Object.entries(all)) {
    const name = fields.find(
      (f) => field === f || field.startsWith(`${f}.`) || field.startsWith(`${f}[`),
    );
    if (name) known[name] = sentence(message);
    else rest.push(`${field}: ${message}`);
  }
  setErrors(known);
  if (rest.length > 0) showError(new Error(rest.join('\n')));
  else if (Object.keys(known).length === 0) showError(error);
}
