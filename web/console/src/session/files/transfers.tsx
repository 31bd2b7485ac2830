import { ActionIcon, Button, Progress, Text } from '@mantine/core';
import { IconCheck, IconPlayerStop, IconRefresh } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { bytes } from '../../lib/format';
import classes from './files.module.css';
import { whyNot } from './refusal';
import type { Upload, Uploads } from './uploads';

/** The uploads of this page, each with its progress and what came of it. */
export function Transfers({ uploads, list }: { uploads: Uploads; list: readonly Upload[] }) {
  const { t } = useTranslation();
  if (list.length === 0) return null;
  const ended = list.some(({ state }) => state !== 'waiting' && state !== 'sending');
  return (
    <>
      <ul className={classes.list} aria-label={t('files.uploads')}>
        {list.map((upload) => (
          <Row key={upload.key} upload={upload} uploads={uploads} />
        ))}
      </ul>
      {ended && (
        <Button variant="subtle" size="compact-xs" onClick={() => uploads.clear()}>
          {t('files.clear')}
        </Button>
      )}
    </>
  );
}

function Row({ upload, uploads }: { upload: Upload; uploads: Uploads }) {
  const { t } = useTranslation();
  const { key, path, size, sent, state, stored, error } = upload;
  const percent = size > 0 ? (sent / size) * 100 : 100;
  const name = path.split('/').at(-1) ?? path;
  const under = state === 'waiting' || state === 'sending';
  return (
    <li data-upload={state}>
      <div className={classes.row}>
        <Text size="sm" truncate className={classes.name} title={path}>
          {name}
        </Text>
        {state === 'done' && (
          <IconCheck size={16} color="var(--mantine-color-teal-7)" aria-hidden />
        )}
        {under && (
          <ActionIcon
            size="sm"
            aria-label={t('files.cancel', { name })}
            onClick={() => uploads.cancel(key)}
          >
            <IconPlayerStop size={14} />
          </ActionIcon>
        )}
        {(state === 'failed' || state === 'cancelled') && (
          <ActionIcon
            size="sm"
            aria-label={t('files.retry', { name })}
            onClick={() => uploads.retry(key)}
          >
            <IconRefresh size={14} />
          </ActionIcon>
        )}
      </div>
      {under && <Progress value={percent} size="sm" aria-label={name} />}
      <Text
        size="xs"
        c={state === 'failed' ? 'var(--mantine-color-error)' : 'dimmed'}
        role={state === 'failed' ? 'alert' : undefined}
      >
        {state === 'waiting' && t('files.waiting')}
        {state === 'sending' && t('files.progress', { sent: bytes(sent), size: bytes(size) })}
        {state === 'done' && t('files.stored', { path: stored })}
        {state === 'cancelled' && t('files.cancelled')}
        {state === 'failed' && whyNot(error)}
      </Text>
    </li>
  );
}
