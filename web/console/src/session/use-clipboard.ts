import { type ClipboardAccess, ClipboardSync, pasteShortcut, readAccess } from '@porthole/viewer';
import { type RefObject, useEffect, useMemo, useState } from 'react';
import type { ViewerView } from './use-viewer';

/** A field of the page; the viewer's own hands everything to the desktop. */
const isEditable = (target: EventTarget | null) =>
  target instanceof HTMLElement &&
  target.closest('input, textarea:not([data-keyboard]), [contenteditable]') !== null;

/** What the panel shows of the clipboard, and the ways in. */
export interface ClipboardView {
  access: ClipboardAccess;
  /** Asks the browser for the right to read; the browser asks the user. */
  ask(): void;
  /** Makes a text the desktop's clipboard; false when it is too long or there is no connection. */
  send(text: string): boolean;
  /** The desktop's clipboard has changed. */
  received(text: string): void;
}

/** Keeps the desktop's clipboard and the user's own alike, as far as policy and browser allow. */
export function useClipboard(
  view: RefObject<ViewerView | undefined>,
  ready: boolean,
): ClipboardView {
  const [access, setAccess] = useState<ClipboardAccess>('denied');
  const sync = useMemo(
    () => new ClipboardSync((text) => view.current?.viewer?.paste(text) ?? false),
    [view],
  );

  useEffect(() => {
    void readAccess().then(setAccess);
  }, []);

  useEffect(() => {
    if (!ready) return;
    const ending = new AbortController();
    const options = { signal: ending.signal, capture: true };
    const may = () => view.current?.connect?.clipboard_up === true;
    const pull = () => may() && void sync.fromLocal();
    let awaited: boolean | undefined;
    sync.renew();
    pull();
    window.addEventListener('focus', pull, options);
    window.addEventListener(
      'keydown',
      (event) => {
        // The text is on its way before the shortcut is complete.
        if (event.key === 'Control' || event.key === 'Meta' || event.key === 'Shift') pull();
        const paste = (event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'v';
        if (!paste || access === 'granted' || !may() || isEditable(event.target)) return;
        // Without the right to read, the browser's own paste brings the text; the desktop gets
        // the shortcut after it.
        event.stopImmediatePropagation();
        awaited = event.shiftKey;
      },
      options,
    );
    window.addEventListener(
      'paste',
      (event) => {
        if (isEditable(event.target) || !may()) return;
        const text = event.clipboardData?.getData('text/plain') ?? '';
        const shift = awaited ?? false;
        awaited = undefined;
        if (text === '') return;
        event.preventDefault();
        void view.current?.viewer?.pasteAndSend(text, pasteShortcut(shift));
      },
      options,
    );
    return () => ending.abort();
  }, [ready, access, sync, view]);

  return useMemo(
    () => ({
      access,
      ask: () => {
        void navigator.clipboard
          .readText()
          .then(() => sync.fromLocal())
          .catch(() => {})
          .finally(() => void readAccess().then(setAccess));
      },
      send: (text) => sync.fromUser(text),
      received: (text) => {
        if (view.current?.connect?.clipboard_down !== false) void sync.fromRemote(text);
      },
    }),
    [access, sync, view],
  );
}
