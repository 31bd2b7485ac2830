import { ApiError, api, type Connect } from '@porthole/api';
import {
  GrantError,
  type Size,
  type StickyState,
  type StreamGrant,
  Viewer,
  type ViewerState,
} from '@porthole/viewer';
import { type RefObject, useEffect, useRef, useState } from 'react';

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

/** Asks for the right to a stream; turns the API's refusals into reasons. */
async function grantFor(
  id: string,
  signal: AbortSignal,
  onConnect: (connect: Connect) => void,
): Promise<StreamGrant> {
  try {
    const connect = await api.connect(id, signal);
    onConnect(connect);
    const url = new URL(connect.url, window.location.href);
    if (!url.searchParams.has('ticket')) url.searchParams.set('ticket', connect.ticket);
    // The stream comes through this page's own address, whatever the server thinks it is called.
    return { url: url.pathname + url.search, access: connect.access };
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401) throw new GrantError('signed-out', false);
    if (error.status === 403) throw new GrantError('revoked', false);
    if (error.status === 404) throw new GrantError('no-session', false);
    if (error.status === 503) throw new GrantError('agent-lost', true);
    if (error.status !== 409) throw new GrantError('network', true);
  }
  const { state, wanted } = await api.session(id, signal);
  if (state === 'failed') throw new GrantError('ended', false);
  if (wanted === 'stopped') throw new GrantError('stopped', false);
  if (wanted === 'deleted') throw new GrantError('ended', false);
  throw new GrantError('not-ready', true);
}

/** A viewer of a session in an element, with what the page shows of it. */
export function useViewer(
  id: string,
  target: RefObject<HTMLElement | null>,
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

  useEffect(() => {
    const element = target.current;
    if (!element) return;
    const made = new Viewer(element, (signal) => grantFor(id, signal, setConnect), {
      state: (next) => {
        setState(next);
        setLate(false);
        if (next.kind !== 'connected') setRoundTrip(undefined);
      },
      painted: () => {
        setPainted(true);
        const { activeElement } = document;
        if (activeElement === null || activeElement === document.body) made.focus();
      },
      resized: setSize,
      held: setHeld,
      sticky: setSticky,
      clipboard: (text) => clipboard.current(text),
      roundTrip: (milliseconds) => {
        setLate(milliseconds === undefined);
        if (milliseconds !== undefined) setRoundTrip(milliseconds);
      },
    });
    setViewer(made);
    setPainted(false);
    made.start();
    return () => made.dispose();
  }, [id, target]);

  const slow = late || (roundTrip !== undefined && roundTrip > SLOW);
  const link: Link = state.kind !== 'connected' ? 'lost' : slow ? 'slow' : 'good';
  return { viewer, state, painted, link, roundTrip, size, connect, held, sticky };
}
