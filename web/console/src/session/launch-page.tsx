import { ApiError, api, type Session } from '@porthole/api';
import { devicePixels } from '@porthole/viewer';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { useCallback, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { errorText } from '../lib/error-text';
import { noteSession } from '../lib/events';
import { workspacesQuery } from '../lib/queries';
import { remember } from '../lib/storage';
import { FailureCard } from './cards';
import { LaunchCard } from './launch-card';
import classes from './session.module.css';

/** The longest side that a display can have, in pixels. */
const LONGEST = 5120;

/** The desktop's size to begin with: the chosen one, or this window's in device pixels. */
function firstSize(chosen: string | undefined): { width: number; height: number } {
  const match = /^(\d{3,5})x(\d{3,5})$/.exec(chosen ?? '');
  const { width, height } = match
    ? { width: Number(match[1]), height: Number(match[2]) }
    : devicePixels(
        { width: window.innerWidth, height: window.innerHeight },
        window.devicePixelRatio,
      );
  return { width: Math.min(LONGEST, width), height: Math.min(LONGEST, height) };
}

/** Asks for a session, and becomes its page as soon as there is one. */
export function LaunchPage() {
  const { t } = useTranslation();
  const navigate = useNavigate();
  const client = useQueryClient();
  const { workspace: id, size } = useSearch({ from: '/signed-in/session/new' });
  const { data: workspaces } = useQuery(workspacesQuery(false));
  const workspace = workspaces?.find((w) => w.id === id);
  const begun = useRef(false);
  const [error, setError] = useState<unknown>();

  const launch = useCallback(async () => {
    setError(undefined);
    let session: Session;
    try {
      session = await api.createSession({
        workspace_id: id,
        ...firstSize(size),
        device_pixel_ratio: Math.min(8, Math.max(0.25, window.devicePixelRatio)),
      });
    } catch (caught) {
      setError(caught);
      return;
    }
    // A desktop of a chosen size keeps it; one that follows the window does so from the start.
    remember(`scale-${session.id}`, size ? 'fit' : 'match');
    client.setQueryData(['session', session.id], session);
    noteSession(client, session);
    await navigate({ to: '/session/$id', params: { id: session.id }, replace: true });
  }, [client, id, navigate, size]);

  useEffect(() => {
    if (begun.current) return;
    begun.current = true;
    void launch();
  }, [launch]);

  const name = workspace?.name ?? t('session.launchRefusedPlain');
  const text = errorText(error);
  return (
    <main className={classes.page}>
      <div className={classes.overlay}>
        {error ? (
          <FailureCard
            title={t('session.launchRefused', { name })}
            failure={{
              what: text,
              part: '',
              advice:
                error instanceof ApiError && error.status === 409
                  ? t('session.launchRefusedAdvice')
                  : '',
            }}
            details={JSON.stringify(
              error instanceof ApiError ? { ...error.problem, workspace: id } : { text },
              null,
              2,
            )}
            onRetry={() => void launch()}
          />
        ) : (
          <LaunchCard
            title={
              workspace
                ? t('session.launching', { name: workspace.name })
                : t('session.launchingPlain')
            }
            icon={workspace?.icon}
          />
        )}
      </div>
    </main>
  );
}
