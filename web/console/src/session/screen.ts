/**
 * A session's screen: an element of the page with its viewer, which the session's page shows. A
 * page that is opened at a session begins with it, before the console is there.
 */

import { ApiError, api, type Connect } from '@porthole/api';
import {
  GrantError,
  type StreamGrant,
  Viewer,
  type ViewerListener,
  type ViewerState,
} from '@porthole/viewer';
import { recall } from '../lib/storage';

export interface Screen {
  readonly id: string;
  /** Fills what it is put into. */
  readonly element: HTMLElement;
  readonly viewer: Viewer;
  /** From now on this one hears of it, and at once of what has happened before. */
  hear(listener: ViewerListener, onConnect: (connect: Connect) => void): void;
  dispose(): void;
}

/** Asks for the right to a stream; turns the API's refusals into reasons. */
async function grantFor(
  id: string,
  signal: AbortSignal,
  onConnect: (connect: Connect) => void,
  asked: Promise<Response> | undefined,
): Promise<StreamGrant> {
  try {
    const connect = await api.connect(id, signal, asked);
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

/** Makes a screen and starts its viewer. It must be in the page, so that it has a size. */
function begin(id: string, host: HTMLElement, asked?: Promise<Response>): Screen {
  const element = document.createElement('div');
  element.dataset.screen = '';
  Object.assign(element.style, { position: 'absolute', inset: '0', overflow: 'hidden' });
  host.prepend(element);

  let listener: ViewerListener = { state: () => {} };
  let onConnect = (_: Connect) => {};
  let connect: Connect | undefined;
  let painted = false;
  let text: string | undefined;
  const granted = (latest: Connect) => {
    connect = latest;
    onConnect(latest);
  };
  // A stream's right is good for one stream.
  let first = asked;
  const grant = (signal: AbortSignal) => {
    const answer = first;
    first = undefined;
    return grantFor(id, signal, granted, answer);
  };
  const viewer = new Viewer(element, grant, {
    state: (state) => listener.state(state),
    painted: () => {
      painted = true;
      listener.painted?.();
    },
    resized: (size) => listener.resized?.(size),
    held: (held) => listener.held?.(held),
    sticky: (state) => listener.sticky?.(state),
    clipboard: (latest) => {
      text = latest;
      listener.clipboard?.(latest);
    },
    roundTrip: (milliseconds) => listener.roundTrip?.(milliseconds),
  });
  viewer.setQuality(recall('quality', 'automatic'));
  viewer.setMode(recall(`scale-${id}`, 'match'));
  viewer.start();
  return {
    ...{ id, element, viewer },
    hear: (next, nextConnect) => {
      listener = next;
      onConnect = nextConnect;
      next.state(viewer.state);
      if (viewer.remoteSize) next.resized?.(viewer.remoteSize);
      if (connect) nextConnect(connect);
      if (text !== undefined) next.clipboard?.(text);
      if (painted) next.painted?.();
    },
    dispose: () => {
      viewer.dispose();
      element.remove();
    },
  };
}

/** The page waits no longer for its stream's grant, and then for its first picture, in milliseconds. */
const GRANTED_WITHIN = 500;
const PAINTED_WITHIN = 300;

let early: { readonly screen: Screen; readonly host: HTMLElement } | undefined;

/**
 * Begins with a session's screen below the page that is still to come. Resolves when the first
 * picture is there, or when it may take longer: until then thread and processor are the picture's.
 */
export function beginEarly({ id, answer }: NonNullable<Window['portholeEarly']>): Promise<void> {
  const host = document.createElement('div');
  Object.assign(host.style, { position: 'fixed', inset: '0', zIndex: '-1' });
  document.body.prepend(host);
  const screen = begin(id, host, answer);
  early = { screen, host };
  return new Promise((resolve) => {
    const within = (milliseconds: number) => setTimeout(resolve, milliseconds);
    const state = (next: ViewerState) => {
      if (next.kind !== 'connecting' && next.kind !== 'connected') resolve();
    };
    screen.hear({ state, painted: () => within(0) }, () => within(PAINTED_WITHIN));
    within(GRANTED_WITHIN);
  });
}

/** The session's screen, in its place in the page. */
export function takeScreen(id: string, host: HTMLElement): Screen {
  const before = early;
  early = undefined;
  before?.host.remove();
  // One that has ended has nothing to show: somebody had to sign in first.
  if (before && (before.screen.id !== id || before.screen.viewer.state.kind === 'ended')) {
    before.screen.dispose();
  } else if (before) {
    host.prepend(before.screen.element);
    before.screen.viewer.relayout();
    return before.screen;
  }
  return begin(id, host);
}
