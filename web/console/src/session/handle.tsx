import { IconChevronLeft, IconChevronRight } from '@tabler/icons-react';
import { type KeyboardEvent, type PointerEvent, useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useRemembered } from '../lib/use-remembered';
import classes from './session.module.css';
import type { Link } from './use-viewer';

interface Props {
  open: boolean;
  link: Link;
  fullScreen: boolean;
  /** Where the handle is, as a share of the window's height. */
  place: number;
  onPlace(place: number): void;
  onToggle(): void;
}

/** How far a press may move and still be a click, in CSS pixels. */
const CLICK = 5;

export function useHandlePlace(): [number, (place: number) => void] {
  const [place, setPlace] = useRemembered('handle', 0.5);
  return [Math.min(0.93, Math.max(0.07, place)), setPlace];
}

/** The session panel's handle on the right edge; moves up and down. */
export function Handle({ open, link, fullScreen, place, onPlace, onToggle }: Props) {
  const { t } = useTranslation();
  const from = useRef<number>(undefined);
  const dragged = useRef(false);
  const [near, setNear] = useState(false);

  useEffect(() => {
    if (!fullScreen) return;
    // In full screen the edge is the desktop's until the pointer rests there.
    let timer: number | undefined;
    const move = (event: globalThis.PointerEvent) => {
      clearTimeout(timer);
      const atEdge = event.clientX > window.innerWidth - 26;
      if (!atEdge) setNear(false);
      else timer = window.setTimeout(() => setNear(true), 250);
    };
    window.addEventListener('pointermove', move, true);
    return () => {
      clearTimeout(timer);
      window.removeEventListener('pointermove', move, true);
    };
  }, [fullScreen]);

  function down(event: PointerEvent<HTMLButtonElement>) {
    from.current = event.clientY;
    dragged.current = false;
    event.currentTarget.setPointerCapture(event.pointerId);
  }

  function move(event: PointerEvent<HTMLButtonElement>) {
    if (from.current === undefined) return;
    if (Math.abs(event.clientY - from.current) > CLICK) dragged.current = true;
    if (dragged.current) onPlace(event.clientY / window.innerHeight);
  }

  function keys(event: KeyboardEvent) {
    const step = event.key === 'ArrowUp' ? -0.05 : event.key === 'ArrowDown' ? 0.05 : 0;
    if (step === 0) return;
    event.preventDefault();
    onPlace(place + step);
  }

  return (
    <button
      type="button"
      className={classes.handle}
      style={{ top: `${place * 100}%` }}
      data-hidden={fullScreen && !near && !open ? true : undefined}
      aria-label={t('panel.open')}
      aria-expanded={open}
      title={t('panel.open')}
      onPointerDown={down}
      onPointerMove={move}
      onPointerUp={() => {
        from.current = undefined;
      }}
      onKeyDown={keys}
      onClick={() => {
        if (!dragged.current) onToggle();
        dragged.current = false;
      }}
    >
      <span className={classes.dot} data-link={link} />
      {open ? <IconChevronRight size={16} /> : <IconChevronLeft size={16} />}
    </button>
  );
}
