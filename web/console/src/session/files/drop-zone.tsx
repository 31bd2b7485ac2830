import { Text } from '@mantine/core';
import { IconLock, IconUpload } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { type Item, ofTransfer } from './collect';
import classes from './files.module.css';

interface Props {
  /** False where policy forbids uploads; unknown counts as allowed until the server says. */
  allowed: boolean;
  onItems(items: Item[]): void;
}

const hasFiles = (transfer: DataTransfer | null) => transfer?.types.includes('Files') === true;

const isEditable = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.closest('input, textarea:not([data-keyboard]), [contenteditable]') !== null;

/** Takes files that are dragged over the page or pasted into it, and shows that it would. */
export function DropZone({ allowed, onItems }: Props) {
  const { t } = useTranslation();
  const [over, setOver] = useState(false);
  const take = useRef(onItems);
  take.current = onItems;
  useEffect(() => {
    const ending = new AbortController();
    const options = { signal: ending.signal, capture: true };
    const bring = (transfer: DataTransfer) =>
      void ofTransfer(transfer).then((items) => {
        if (items.length > 0) take.current(items);
      });
    const drag = (event: DragEvent) => {
      if (!hasFiles(event.dataTransfer)) return;
      event.preventDefault();
      if (event.dataTransfer) event.dataTransfer.dropEffect = allowed ? 'copy' : 'none';
      setOver(true);
    };
    window.addEventListener('dragenter', drag, options);
    window.addEventListener('dragover', drag, options);
    window.addEventListener(
      'dragleave',
      // Only leaving the window leads nowhere.
      (event) => event.relatedTarget === null && setOver(false),
      options,
    );
    window.addEventListener(
      'drop',
      (event) => {
        setOver(false);
        if (!hasFiles(event.dataTransfer)) return;
        event.preventDefault();
        if (allowed && event.dataTransfer) bring(event.dataTransfer);
      },
      options,
    );
    window.addEventListener(
      'paste',
      (event) => {
        const { clipboardData } = event;
        if (!allowed || isEditable(event.target) || !clipboardData?.files.length) return;
        // Where there is text, too, text is what is meant: offices give a picture of it along.
        if (clipboardData.types.includes('text/plain')) return;
        event.preventDefault();
        bring(clipboardData);
      },
      options,
    );
    return () => ending.abort();
  }, [allowed]);
  if (!over) return null;
  const Icon = allowed ? IconUpload : IconLock;
  return (
    <div className={classes.drop} data-drop-zone data-locked={allowed ? undefined : true}>
      <Icon size={48} aria-hidden />
      <Text size="lg" fw={600} c="inherit" ta="center">
        {t(allowed ? 'files.drop' : 'files.noUpload')}
      </Text>
      {allowed && (
        <Text size="sm" c="inherit" ta="center">
          {t('files.dropWhere')}
        </Text>
      )}
    </div>
  );
}
