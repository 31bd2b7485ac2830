import { Button, Group, Text } from '@mantine/core';
import type { Session } from '@porthole/api';
import { IconFiles, IconFolderUp, IconUpload } from '@tabler/icons-react';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../../lib/error-text';
import { Locked, Section } from '../section';
import { Browser } from './browser';
import { ofChooser } from './collect';
import { Transfers } from './transfers';
import type { FilesView } from './use-files';

/** Files into the session and out of it. */
export function FilesSection({ session, files }: { session: Session; files: FilesView }) {
  const { t } = useTranslation();
  const chooser = useRef<HTMLInputElement>(null);
  const folder = useRef<HTMLInputElement>(null);
  const { client, uploads, list, rights, error } = files;
  // React knows no such property.
  useEffect(() => folder.current?.setAttribute('webkitdirectory', ''));
  const choose = (input: HTMLInputElement) => {
    uploads.add(ofChooser(input.files));
    input.value = '';
  };
  return (
    <Section icon={<IconFiles size={17} aria-hidden />} title={t('files.title')}>
      {rights?.upload && (
        <>
          <Group gap={6}>
            <Button
              variant="default"
              size="xs"
              leftSection={<IconUpload size={14} />}
              onClick={() => chooser.current?.click()}
            >
              {t('files.upload')}
            </Button>
            <Button
              variant="default"
              size="xs"
              leftSection={<IconFolderUp size={14} />}
              onClick={() => folder.current?.click()}
            >
              {t('files.uploadFolder')}
            </Button>
          </Group>
          <input
            ref={chooser}
            type="file"
            multiple
            hidden
            data-upload-files
            onChange={(event) => choose(event.currentTarget)}
          />
          <input
            ref={folder}
            type="file"
            hidden
            data-upload-folder
            onChange={(event) => choose(event.currentTarget)}
          />
          <Text size="xs" c="dimmed">
            {t('files.hint')}
          </Text>
        </>
      )}
      {rights && !rights.upload && (
        <Locked session={session} setting="allow_kasm_uploads">
          {t('files.noUpload')}
        </Locked>
      )}
      <Transfers uploads={uploads} list={list} />
      {rights?.download && <Browser session={session.id} client={client} />}
      {rights && !rights.download && (
        <Locked session={session} setting="allow_kasm_downloads">
          {t('files.noDownload')}
        </Locked>
      )}
      {!rights && (
        <Text size="xs" c="dimmed">
          {error ? errorText(error) : t('files.opening')}
        </Text>
      )}
    </Section>
  );
}
