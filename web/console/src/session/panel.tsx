import { ActionIcon, Alert, Button, Group, Text, Textarea } from '@mantine/core';
import type { Session } from '@porthole/api';
import type { Quality, ScaleMode } from '@porthole/viewer';
import {
  IconArrowLeft,
  IconClipboard,
  IconClock,
  IconDeviceDesktop,
  IconLock,
  IconMaximize,
  IconMinimize,
  IconPlayerStop,
  IconTrash,
  IconWifi,
  IconX,
} from '@tabler/icons-react';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Choice } from '../lib/choice';
import { tell } from '../lib/errors';
import { duration, timeLeft } from '../lib/format';
import { isDenied, useSessionActions } from '../lib/session-actions';
import { useNow } from '../lib/use-now';
import { KeyboardSection, PointerSection } from './input-sections';
import { Section, Toggle } from './section';
import classes from './session.module.css';
import type { ClipboardView } from './use-clipboard';
import type { Preferences } from './use-preferences';
import type { ViewerView } from './use-viewer';

interface Props {
  session: Session | undefined;
  view: ViewerView;
  clipboard: ClipboardView;
  /** The desktop's clipboard. */
  text: string;
  onText(text: string): void;
  scale: ScaleMode;
  onScale(scale: ScaleMode): void;
  quality: Quality;
  onQuality(quality: Quality): void;
  fullScreen: boolean;
  onFullScreen(): void;
  preferences: Preferences;
  /** The desktop shall hold the pointer. */
  onHold(): void;
  onClose(): void;
}

/** Everything for the session that is not the desktop itself. Floats over it. */
export function Panel(props: Props) {
  const { t } = useTranslation();
  const panel = useRef<HTMLElement>(null);
  // The keyboard is the panel's while it is open; closing gives it back to the desktop.
  useEffect(() => panel.current?.focus({ preventScroll: true }), []);
  return (
    <aside
      ref={panel}
      tabIndex={-1}
      className={classes.panel}
      aria-label={t('panel.title')}
      data-panel
    >
      <Group justify="space-between" px="md" pt="sm" wrap="nowrap">
        <Text fw={600} truncate>
          {props.session?.workspace.name}
        </Text>
        <ActionIcon aria-label={t('common.close')} onClick={props.onClose}>
          <IconX size={18} />
        </ActionIcon>
      </Group>
      <div className={classes.sections}>
        <ClipboardSection {...props} />
        <DisplaySection {...props} />
        <KeyboardSection {...props} />
        <PointerSection {...props} />
        <SessionSection {...props} />
        <ConnectionSection {...props} />
      </div>
    </aside>
  );
}

function Locked({ children }: { children: ReactNode }) {
  return (
    <Group gap={6} wrap="nowrap" align="flex-start">
      <IconLock size={14} style={{ flexShrink: 0, marginTop: 2 }} aria-hidden />
      <Text size="xs" c="dimmed">
        {children}
      </Text>
    </Group>
  );
}

/** Who forbids something in the session. */
function DeniedBy({ session, setting }: { session: Session | undefined; setting: string }) {
  const { t } = useTranslation();
  const group = session?.denied.find((one) => one.setting === setting)?.group;
  return group ? t('panel.deniedBy', { group }) : null;
}

function ClipboardSection({ view, clipboard, text, onText, session }: Props) {
  const { t } = useTranslation();
  const [tooLong, setTooLong] = useState(false);
  const up = view.connect?.clipboard_up !== false;
  const down = view.connect?.clipboard_down !== false;
  return (
    <Section icon={<IconClipboard size={17} aria-hidden />} title={t('panel.clipboard')}>
      <Textarea
        aria-label={t('panel.clipboardLabel')}
        description={t('panel.clipboardHint')}
        error={tooLong ? t('panel.clipboardTooLong') : undefined}
        autosize
        minRows={3}
        maxRows={8}
        spellCheck={false}
        readOnly={!up}
        value={down ? text : ''}
        onChange={(event) => {
          const next = event.currentTarget.value;
          onText(next);
          setTooLong(!clipboard.send(next) && next.length > 0 && view.state.kind === 'connected');
        }}
      />
      {!up && (
        <Locked>
          {t('panel.clipboardNoUp')}{' '}
          <DeniedBy session={session} setting="allow_kasm_clipboard_up" />
        </Locked>
      )}
      {!down && (
        <Locked>
          {t('panel.clipboardNoDown')}{' '}
          <DeniedBy session={session} setting="allow_kasm_clipboard_down" />
        </Locked>
      )}
      {up && clipboard.access === 'granted' && (
        <Text size="xs" c="dimmed">
          {t('panel.clipboardSeamless')}
        </Text>
      )}
      {up && clipboard.access === 'ask' && (
        <Button variant="default" size="xs" onClick={clipboard.ask}>
          {t('panel.clipboardAllow')}
        </Button>
      )}
      {up && clipboard.access === 'denied' && (
        <Text size="xs" c="dimmed">
          {t('panel.clipboardDenied')}
        </Text>
      )}
    </Section>
  );
}

function DisplaySection(props: Props) {
  const { t } = useTranslation();
  const Icon = props.fullScreen ? IconMinimize : IconMaximize;
  return (
    <Section icon={<IconDeviceDesktop size={17} aria-hidden />} title={t('panel.display')}>
      <Button
        variant="default"
        size="xs"
        leftSection={<Icon size={15} />}
        onClick={props.onFullScreen}
      >
        {props.fullScreen ? t('panel.leaveFullScreen') : t('panel.fullScreen')}
      </Button>
      <Choice
        label={t('panel.scale')}
        value={props.scale}
        onChange={props.onScale}
        options={[
          { value: 'match', label: t('panel.match') },
          { value: 'fit', label: t('panel.fit') },
        ]}
      />
      <Choice
        label={t('panel.quality')}
        orientation="vertical"
        value={props.quality}
        onChange={props.onQuality}
        options={(['automatic', 'sharp', 'smooth', 'saving'] as const).map((value) => ({
          value,
          label: t(`panel.${value}`),
        }))}
      />
    </Section>
  );
}

function SessionSection({ session, onClose }: Props) {
  const { t } = useTranslation();
  const actions = useSessionActions();
  const now = useNow();
  if (!session) return null;
  const left = timeLeft(session.expires_at, now);
  const running = session.state === 'running' || session.state === 'starting';
  const noStop = isDenied(session, 'allow_kasm_stop');
  const noDelete = isDenied(session, 'allow_kasm_delete');
  return (
    <Section icon={<IconClock size={17} aria-hidden />} title={t('panel.session')}>
      <Text size="sm">
        {left === undefined ? t('panel.noLimit') : t('panel.timeLeft', { time: duration(left) })}
      </Text>
      {session.expiry_reason && (
        <Text size="xs" c="dimmed">
          {session.expiry_reason}
        </Text>
      )}
      <Group gap={6}>
        <Button
          variant="default"
          size="xs"
          disabled={!running || left === undefined}
          onClick={() =>
            void actions.act(session, 'extend').then((next) => {
              const more = timeLeft(next?.expires_at, Date.now());
              if (more !== undefined) tell(t('session.extended', { time: duration(more) }));
            })
          }
        >
          {t('session.extend')}
        </Button>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconPlayerStop size={14} />}
          disabled={!running || noStop}
          onClick={() => actions.stop(session, onClose)}
        >
          {t('session.stop')}
        </Button>
        <Button
          variant="default"
          size="xs"
          leftSection={<IconTrash size={14} />}
          disabled={noDelete}
          onClick={() => actions.remove(session, onClose)}
        >
          {t('session.delete')}
        </Button>
      </Group>
      {noStop && (
        <Locked>
          {t('panel.noStop')} <DeniedBy session={session} setting="allow_kasm_stop" />
        </Locked>
      )}
      {noDelete && (
        <Locked>
          {t('panel.noDelete')} <DeniedBy session={session} setting="allow_kasm_delete" />
        </Locked>
      )}
      <Button
        component={Link}
        to="/"
        variant="light"
        size="xs"
        leftSection={<IconArrowLeft size={14} />}
      >
        {t('session.toDashboard')}
      </Button>
    </Section>
  );
}

function ConnectionSection({ view, preferences }: Props) {
  const { t } = useTranslation();
  return (
    <Section icon={<IconWifi size={17} aria-hidden />} title={t('panel.connection')}>
      <Group gap={8}>
        <span className={classes.dot} data-link={view.link} />
        <Text size="sm">{t(`panel.${view.link}`)}</Text>
      </Group>
      <Text size="xs" c="dimmed">
        {view.roundTrip === undefined
          ? t('panel.noRoundTrip')
          : t('panel.roundTrip', { ms: Math.round(view.roundTrip) })}
      </Text>
      {view.size && (
        <Text size="xs" c="dimmed">
          {t('panel.desktopSize', { width: view.size.width, height: view.size.height })}
        </Text>
      )}
      <Toggle
        label={t('panel.statistics')}
        on={preferences.statistics}
        onToggle={(statistics) => preferences.set({ statistics })}
      />
      {view.state.kind === 'waiting' && (
        <Alert color="yellow" p="xs">
          {t(`session.reason.${view.state.reason}`)}
        </Alert>
      )}
    </Section>
  );
}
