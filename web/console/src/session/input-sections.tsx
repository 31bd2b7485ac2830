import { Button, Group, Text } from '@mantine/core';
import { COMBINATIONS } from '@porthole/viewer';
import { IconKeyboard, IconPointer } from '@tabler/icons-react';
import { useTranslation } from 'react-i18next';
import { Choice } from '../lib/choice';
import { Section, Toggle } from './section';
import type { Preferences } from './use-preferences';
import type { ViewerView } from './use-viewer';

interface Props {
  view: ViewerView;
  preferences: Preferences;
  onHold(): void;
  onClose(): void;
}

/** Whether a finger can be on the screen. */
const touches = () => matchMedia('(any-pointer: coarse)').matches || navigator.maxTouchPoints > 0;

/** How keys are meant, and keys that the keyboard at hand lacks. */
export function KeyboardSection({ view, preferences, onClose }: Props) {
  const { t } = useTranslation();
  const watching = view.connect?.access === 'view';
  return (
    <Section icon={<IconKeyboard size={17} aria-hidden />} title={t('panel.keyboard')}>
      <Choice
        label={t('panel.keyboardMode')}
        labelHidden
        value={preferences.keyboard}
        onChange={(keyboard) => preferences.set({ keyboard })}
        options={[
          { value: 'text', label: t('panel.keyboardText') },
          { value: 'physical', label: t('panel.keyboardPhysical') },
        ]}
        hint={t(
          preferences.keyboard === 'text' ? 'panel.keyboardTextHint' : 'panel.keyboardPhysicalHint',
        )}
      />
      <Toggle
        label={t('panel.keyRow')}
        on={preferences.keyRow}
        onToggle={(keyRow) => preferences.set({ keyRow })}
      />
      {touches() && (
        <Button
          variant="light"
          size="compact-sm"
          onClick={() => {
            onClose();
            view.viewer?.showKeyboard();
          }}
        >
          {t('panel.showKeyboard')}
        </Button>
      )}
      <Text size="xs" c="dimmed">
        {t('panel.keys')}
      </Text>
      <Group gap={6}>
        {COMBINATIONS.map((combination) => (
          <Button
            key={combination.label}
            variant="default"
            size="compact-xs"
            disabled={view.state.kind !== 'connected' || watching}
            onClick={() => {
              view.viewer?.send(combination);
              if (combination.label !== 'Tab') onClose();
            }}
          >
            {combination.label}
          </Button>
        ))}
      </Group>
    </Section>
  );
}

/** How mouse and fingers point. */
export function PointerSection({ view, preferences, onHold }: Props) {
  const { t } = useTranslation();
  const can = view.state.kind === 'connected' && view.connect?.access !== 'view';
  return (
    <Section icon={<IconPointer size={17} aria-hidden />} title={t('panel.pointer')}>
      {matchMedia('(any-pointer: fine)').matches && (
        <>
          <Button variant="default" size="xs" disabled={!can} onClick={onHold}>
            {t('panel.hold')}
          </Button>
          <Text size="xs" c="dimmed">
            {t('panel.holdHint')}
          </Text>
        </>
      )}
      {touches() && (
        <Choice
          label={t('panel.touch')}
          value={preferences.touch}
          onChange={(touch) => preferences.set({ touch })}
          options={[
            { value: 'direct', label: t('panel.touchDirect') },
            { value: 'trackpad', label: t('panel.touchTrackpad') },
          ]}
          hint={t(
            preferences.touch === 'direct' ? 'panel.touchDirectHint' : 'panel.touchTrackpadHint',
          )}
        />
      )}
    </Section>
  );
}
