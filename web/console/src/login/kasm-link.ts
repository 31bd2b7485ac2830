/** Links made by `request_kasm`: `/#/connect/kasm/<kasm_id>/<user_id>/<token>`. */

export interface KasmLink {
  readonly session: string;
  readonly token: string;
}

export function parseKasmLink(hash: string): KasmLink | undefined {
  const match = /^#\/connect\/kasm\/([0-9a-fA-F-]{32,36})\/[^/]+\/([^/?]+)/.exec(hash);
  const hex = match?.[1]?.replaceAll('-', '').toLowerCase();
  if (!match?.[2] || hex?.length !== 32) return undefined;
  const session = hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return { session, token: decodeURIComponent(match[2]) };
}

let pending: KasmLink | undefined;

/** Takes a link out of the address, so that its token stays in no history. */
export function catchKasmLink(): void {
  pending = parseKasmLink(window.location.hash);
  if (pending) window.history.replaceState(null, '', '/connect');
}

/** The link that this page was opened with, once. */
export function takeKasmLink(): KasmLink | undefined {
  const link = pending;
  pending = undefined;
  return link;
}
