import { notifications } from '@mantine/notifications';
import { ApiError } from '@porthole/api';
import i18next from 'i18next';
import { errorText, sentence } from './error-text';

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
