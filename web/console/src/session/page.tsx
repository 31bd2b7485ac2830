import { Button, Paper, Stack, Text } from '@mantine/core';
import { useFullscreenDocument } from '@mantine/hooks';
import { ApiError } from '@porthole/api';
import type { Quality, ScaleMode } from '@porthole/viewer';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { showError } from '../lib/errors';
import { noteGone, useGone } from '../lib/events';
import { sessionQuery } from '../lib/queries';
import { useRemembered } from '../lib/use-remembered';
import { Banner } from './banner';
import { Handle, useHandlePlace } from './handle';
import { KeyRow } from './key-row';
import { Overlay } from './overlay';
import { Panel } from './panel';
import classes from './session.module.css';
import { StatisticsOverlay } from './statistics';
import { type ClipboardView, useClipboard } from './use-clipboard';
import { usePreferences } from './use-preferences';
import { useShortcuts } from './use-shortcuts';
import { useStatisticsReport } from './use-statistics-report';
import { useViewer, type ViewerView } from './use-viewer';

/** A session: its desktop, and over it what there is to say. */
export function SessionPage() {
  const { id } = useParams({ from: '/signed-in/session/$id' });
  // Another session is another page: nothing of the old one stays.
  return <SessionView key={id} id={id} />;
}

const ACTIVE = new Set(['requested', 'starting', 'running']);

function SessionView({ id }: { id: string }) {
  const { t } = useTranslation();
  const client = useQueryClient();
  const host = useRef<HTMLDivElement>(null);
  const { data: session, error } = useQuery(sessionQuery(id));
  const gone = useGone(id);
  const missing = error instanceof ApiError && error.status === 404;

  const [text, setText] = useState('');
  const viewRef = useRef<ViewerView>(undefined);
  const clipboardRef = useRef<ClipboardView>(undefined);
  const view = useViewer(id, host, (remote) => {
    setText(remote);
    clipboardRef.current?.received(remote);
  });
  viewRef.current = view;
  const clipboard = useClipboard(viewRef, view.state.kind === 'connected');
  clipboardRef.current = clipboard;

  const [scale, setScale] = useRemembered<ScaleMode>(`scale-${id}`, 'match');
  const [quality, setQuality] = useRemembered<Quality>('quality', 'automatic');
  const { viewer } = view;
  useEffect(() => viewer?.setMode(scale), [viewer, scale]);
  useEffect(() => viewer?.setQuality(quality), [viewer, quality]);

  useStatisticsReport(id, view);
  const preferences = usePreferences();
  const { touch, keyboard } = preferences;
  useEffect(() => viewer?.setModes({ touch, keyboard }), [viewer, touch, keyboard]);
  const outlines = preferences.statistics && preferences.outlines;
  useEffect(() => viewer?.setOutlines(outlines), [viewer, outlines]);

  const [open, setOpen] = useState(false);
  const [place, setPlace] = useHandlePlace();
  const [hinted, setHinted] = useRemembered('hinted', false);
  const full = useFullscreenDocument();
  const close = useCallback(() => {
    setOpen(false);
    viewer?.focus();
  }, [viewer]);
  const toggle = useCallback(() => {
    setHinted(true);
    setOpen((was) => {
      if (was) viewer?.focus();
      return !was;
    });
  }, [viewer, setHinted]);

  useEffect(() => {
    document.title = `${session?.workspace.name ?? 'Porthole'} · Porthole`;
  }, [session?.workspace.name]);

  // A session that comes back from being stopped or failed is looked at again.
  const active = session !== undefined && ACTIVE.has(session.state);
  const wasActive = useRef(active);
  useEffect(() => {
    if (active && !wasActive.current) viewer?.start();
    wasActive.current = active;
  }, [active, viewer]);

  // The stream often knows first that something has changed.
  const { state } = view;
  useEffect(() => {
    if (state.kind === 'ended') {
      void client.invalidateQueries({ queryKey: ['session', id] });
      if (state.reason === 'signed-out') void client.invalidateQueries({ queryKey: ['me'] });
    }
  }, [state, client, id]);
  useEffect(() => {
    if (missing && !gone) noteGone(client, id, session ? 'user' : 'unknown');
  }, [missing, gone, client, id, session]);

  const hold = useCallback(() => {
    setOpen(false);
    void viewer?.holdPointer().then((held) => {
      if (!held) showError(new Error(t('panel.holdFailed')));
    });
  }, [viewer, t]);
  useShortcuts({ panel: toggle, close, hold });
  useEffect(() => {
    const element = host.current;
    // A press on the desktop closes the panel, and still reaches the desktop.
    const shut = () => setOpen(false);
    element?.addEventListener('pointerdown', shut, { capture: true });
    return () => element?.removeEventListener('pointerdown', shut, { capture: true });
  }, []);

  async function fullScreen() {
    await full.toggle();
    close();
    // Esc, Alt+Tab and their like go to the desktop, where the browser can do that.
    const keyboard = (navigator as { keyboard?: { lock?(): Promise<void> } }).keyboard;
    if (document.fullscreenElement) await keyboard?.lock?.().catch(() => {});
  }

  return (
    <main className={classes.page}>
      <h1 className="visually-hidden">
        {t('session.screen', { name: session?.workspace.name ?? '' })}
      </h1>
      {/* biome-ignore lint/a11y/noStaticElementInteractions: the desktop has a menu of its own */}
      <div
        ref={host}
        className={classes.screen}
        onContextMenu={(event) => event.preventDefault()}
      />
      <Overlay id={id} session={session} gone={gone} error={error} view={view} />
      <Banner view={view} active={active && !gone} />
      {open && (
        <Panel
          session={session}
          view={view}
          clipboard={clipboard}
          text={text}
          onText={setText}
          scale={scale}
          onScale={setScale}
          quality={quality}
          onQuality={setQuality}
          fullScreen={full.fullscreen}
          onFullScreen={() => void fullScreen()}
          preferences={preferences}
          onHold={hold}
          onClose={close}
        />
      )}
      {preferences.statistics && (
        <StatisticsOverlay
          view={view}
          outlines={preferences.outlines}
          onOutlines={(outlines) => preferences.set({ outlines })}
        />
      )}
      {preferences.keyRow && view.painted && view.connect?.access !== 'view' && (
        <KeyRow view={view} onClose={() => preferences.set({ keyRow: false })} />
      )}
      {view.held && (
        <div className={classes.held} role="status" data-held>
          {t('panel.held')}
        </div>
      )}
      {view.painted && !hinted && !open && (
        <Paper
          className={classes.hint}
          style={{ top: `${place * 100}%` }}
          p="sm"
          shadow="md"
          role="note"
        >
          <Stack gap={6} align="flex-start">
            <Text size="sm">{t('panel.hint')}</Text>
            <Button size="compact-xs" variant="light" onClick={() => setHinted(true)}>
              {t('panel.hintOk')}
            </Button>
          </Stack>
        </Paper>
      )}
      <Handle
        open={open}
        link={view.link}
        fullScreen={full.fullscreen}
        place={place}
        onPlace={setPlace}
        onToggle={toggle}
      />
    </main>
  );
}
