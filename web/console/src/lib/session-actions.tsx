/** Stopping, resuming, deleting a session: the same questions and words everywhere. */

import { Button, Group, Stack, Text } from '@mantine/core';
import { modals } from '@mantine/modals';
import { ApiError, api, type Session } from '@porthole/api';
import { useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { showError } from './errors';
import { noteGone, noteSession } from './events';

/** Whether policy forbids it in the session; the server refuses it, too. */
export function isDenied(session: Session, setting: string): boolean {
  return session.denied.some((one) => one.setting === setting);
}

export interface SessionActions {
  stop(session: Session, then?: () => void): void;
  remove(session: Session, then?: () => void): void;
  act(session: Session, action: 'resume' | 'extend' | 'retry'): Promise<Session | undefined>;
}

export function useSessionActions(): SessionActions {
  const client = useQueryClient();
  const { t } = useTranslation();

  async function act(session: Session, action: 'stop' | 'resume' | 'extend' | 'retry') {
    try {
      const next = await api.sessionAction(session.id, action);
      if (next?.id) noteSession(client, next);
      else void client.invalidateQueries({ queryKey: ['session', session.id] });
      return next;
    } catch (error) {
      showError(error);
      return undefined;
    }
  }

  async function destroy(session: Session, then?: () => void) {
    try {
      noteSession(client, { ...session, state: 'deleting', wanted: 'deleted' });
      await api.deleteSession(session.id);
    } catch (error) {
      if (error instanceof ApiError && error.status === 404) {
        noteGone(client, session.id, 'user');
      } else {
        showError(error);
        void client.invalidateQueries({ queryKey: ['sessions'] });
        return;
      }
    }
    then?.();
  }

  return {
    act,
    stop(session, then) {
      modals.openConfirmModal({
        title: t('session.stopTitle', { name: session.workspace.name }),
        children: <Text size="sm">{t('session.stopText')}</Text>,
        labels: { confirm: t('session.stop'), cancel: t('common.cancel') },
        onConfirm: () => void act(session, 'stop').then((next) => next && then?.()),
      });
    },
    remove(session, then) {
      const stoppable =
        (session.state === 'running' || session.state === 'starting') &&
        !isDenied(session, 'allow_kasm_stop');
      const id = modals.open({
        title: t('session.deleteTitle', { name: session.workspace.name }),
        children: (
          <Stack>
            <Text size="sm">{t('session.deleteText')}</Text>
            <Group justify="flex-end">
              <Button variant="default" onClick={() => modals.close(id)} data-autofocus>
                {t('common.cancel')}
              </Button>
              {stoppable && (
                <Button
                  variant="default"
                  onClick={() => {
                    modals.close(id);
                    void act(session, 'stop').then((next) => next && then?.());
                  }}
                >
                  {t('session.stopInstead')}
                </Button>
              )}
              <Button
                color="red.8"
                onClick={() => {
                  modals.close(id);
                  void destroy(session, then);
                }}
              >
                {t('session.delete')}
              </Button>
            </Group>
          </Stack>
        ),
      });
    },
  };
}
