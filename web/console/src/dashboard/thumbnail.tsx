import { api, type Session } from '@porthole/api';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { WorkspaceIcon } from '../lib/icon';
import classes from './dashboard.module.css';

const EVERY = 10_000;
const WIDTH = 480;
const HEIGHT = 270;

/** A session's live picture, renewed only while somebody can see it. */
export function Thumbnail({ session }: { session: Session }) {
  const { t } = useTranslation();
  const box = useRef<HTMLDivElement>(null);
  const [shown, setShown] = useState<string>();
  const running = session.state === 'running';

  useEffect(() => {
    const element = box.current;
    if (!running || !element) return;
    const ending = new AbortController();
    let busy = false;
    let near = false;
    let last = 0;
    const renew = async () => {
      if (busy || !near || document.visibilityState !== 'visible') return;
      if (Date.now() - last < EVERY / 2) return;
      busy = true;
      try {
        const blob = await api.thumbnail(session.id, WIDTH, HEIGHT, ending.signal);
        // The old picture stays until the new one is there: nothing blinks.
        if (!ending.signal.aborted) setShown(URL.createObjectURL(blob));
      } catch {
        // There is none just now; the icon, or the last picture, stands for it.
      } finally {
        busy = false;
        last = Date.now();
      }
    };
    const watch = new IntersectionObserver(([entry]) => {
      near = entry?.isIntersecting ?? false;
      void renew();
    });
    watch.observe(element);
    const timer = window.setInterval(() => void renew(), EVERY);
    document.addEventListener('visibilitychange', renew, { signal: ending.signal });
    return () => {
      ending.abort();
      watch.disconnect();
      window.clearInterval(timer);
    };
  }, [running, session.id]);

  useEffect(() => () => URL.revokeObjectURL(shown ?? ''), [shown]);

  return (
    <div ref={box} className={classes.screen} data-dim={running ? undefined : true}>
      <WorkspaceIcon src={session.workspace.icon} size={56} />
      {shown && (
        <img
          className={classes.live}
          src={shown}
          alt={t('dashboard.thumbnail', { name: session.workspace.name })}
        />
      )}
    </div>
  );
}
