/** Why a stream ended: the gateway's WebSocket close codes (crates/porthole-wire/src/close.rs). */

/** A reason that the page has its own words for. */
export type EndReason =
  | 'going-away'
  | 'protocol'
  | 'bad-ticket'
  | 'revoked'
  | 'no-session'
  | 'too-slow'
  | 'stopped'
  | 'ended'
  | 'idle'
  | 'display-lost'
  | 'agent-lost'
  | 'not-ready'
  | 'signed-out'
  /** Not the network but this side: its engine stopped working. */
  | 'crashed'
  | 'network';

interface Code {
  readonly reason: EndReason;
  readonly retry: boolean;
}

const CODES: Readonly<Record<number, Code>> = {
  1001: { reason: 'going-away', retry: true },
  1002: { reason: 'protocol', retry: false },
  4401: { reason: 'bad-ticket', retry: true },
  4403: { reason: 'revoked', retry: false },
  4404: { reason: 'no-session', retry: false },
  4408: { reason: 'too-slow', retry: true },
  4409: { reason: 'stopped', retry: false },
  4410: { reason: 'ended', retry: false },
  4411: { reason: 'idle', retry: false },
  4502: { reason: 'display-lost', retry: true },
  4503: { reason: 'agent-lost', retry: true },
};

/** What a close code means; one that the gateway does not send is the network's doing. */
export function closeReason(code: number | undefined): Code {
  return (code !== undefined && CODES[code]) || { reason: 'network', retry: true };
}
