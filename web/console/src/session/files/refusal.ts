import i18next from 'i18next';
import { errorText, sentence } from '../../lib/error-text';
import { bytes } from '../../lib/format';
import { FilesError } from './client';
import { Unreadable } from './uploads';

/** Why a file did not go, for people: the rule, where one refused it. */
export function whyNot(error: unknown): string {
  const { t } = i18next;
  if (error instanceof Unreadable) return t('files.unreadable');
  if (!(error instanceof FilesError)) return errorText(error);
  const { refusal } = error;
  if (refusal) {
    const { rule, direction, max, pattern, media_type: type } = refusal;
    if (rule === 'direction') return t(`files.refused.${direction ?? 'upload'}`);
    return t(`files.refused.${rule}`, { max: bytes(max ?? 0), pattern, type });
  }
  if (error.status === 0) return t('files.interrupted');
  if (error.status === 507) return t('files.full');
  return sentence(error.message);
}
