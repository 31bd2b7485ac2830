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
    let over = false;
    let busy = false;
    let near = false;
    let last = 0;
    const renew = () => {
      if (over || busy || !near || document.visibilityState !== 'visible') return;
      if (Date.now() - last < EVERY / 2) return;
      busy = true;
      const url = api.thumbnailUrl(session.id, WIDTH, HEIGHT, Date.now());
      const next = new Image();
      next.src = url;
      // Decoded before it is shown: the old picture never gives way to an empty one.
      next.decode().then(
        () => {
          busy = false;
          last = Date.now();
          if (!over) setShown(url);
        },
        () => {
          busy = false;
          last = Date.now();
        },
      );
    };
    const watch = new IntersectionObserver(([entry]) => {
      near = entry?.isIntersecting ?? false;
      renew();
    });
    watch.observe(element);
    const timer = window.setInterval(renew, EVERY);
    document.addEventListener('visibilitychange', renew);
    return () => {
      over = true;
      watch.disconnect();
      window.clearInterval(timer);
      document.removeEventListener('visibilitychange', renew);
    };
  }, [running, session.id]);

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
