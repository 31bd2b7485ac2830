import type { Connect } from '@porthole/api';
import type { Size, StickyState, Viewer, ViewerState } from '@porthole/viewer';
import { type RefObject, useLayoutEffect, useRef, useState } from 'react';
import { takeScreen } from './screen';

/** How good the connection is, for the dot. */
export type Link = 'good' | 'slow' | 'lost';

/** Round trips longer than this are felt, in milliseconds. */
const SLOW = 250;

export interface ViewerView {
  viewer: Viewer | undefined;
  state: ViewerState;
  /** Whether a picture was ever shown on this page. */
  painted: boolean;
  link: Link;
  roundTrip: number | undefined;
  size: Size | undefined;
  connect: Connect | undefined;
  /** The desktop holds the pointer. */
  held: boolean;
  /** Modifiers that were pressed on the screen. */
  sticky: StickyState;
}

/** A viewer of a session in an element, with what the page shows of it. */
export function useViewer(
  id: string,
  host: RefObject<HTMLElement | null>,
  onClipboard: (text: string) => void,
): ViewerView {
  const [viewer, setViewer] = useState<Viewer>();
  const [state, setState] = useState<ViewerState>({ kind: 'connecting', attempt: 0 });
  const [painted, setPainted] = useState(false);
  const [roundTrip, setRoundTrip] = useState<number>();
  const [late, setLate] = useState(false);
  const [size, setSize] = useState<Size>();
  const [connect, setConnect] = useState<Connect>();
  const [held, setHeld] = useState(false);
  const [sticky, setSticky] = useState<StickyState>({});
  const clipboard = useRef(onClipboard);
  clipboard.current = onClipboard;

  // Before anything is painted: a screen that was begun early shall not be seen to go and come.
  useLayoutEffect(() => {
    const element = host.current;
    if (!element) return;
    const screen = takeScreen(id, element);
    const { viewer } = screen;
    setViewer(viewer);
    setPainted(false);
    screen.hear(
      {
        state: (next) => {
          setState(next);
          setLate(false);
          if (next.kind !== 'connected') setRoundTrip(undefined);
        },
        painted: () => {
          setPainted(true);
          const { activeElement } = document;
          if (activeElement === null || activeElement === document.body) viewer.focus();
        },
        resized: setSize,
        held: setHeld,
        sticky: setSticky,
        clipboard: (text) => clipboard.current(text),
        roundTrip: (milliseconds) => {
          setLate(milliseconds === undefined);
          if (milliseconds !== undefined) setRoundTrip(milliseconds);
        },
      },
      setConnect,
    );
    return () => screen.dispose();
  }, [id, host]);

  const slow = late || (roundTrip !== undefined && roundTrip > SLOW);
  const link: Link = state.kind !== 'connected' ? 'lost' : slow ? 'slow' : 'good';
  return { viewer, state, painted, link, roundTrip, size, connect, held, sticky };
}
