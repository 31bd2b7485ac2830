/** The whole product through scripts/with-server.sh: login, a session, its page. */

export const name = 'server';
export const label = 'Porthole server';
export const wireless = true;

export function unavailable() {
  return 'not written yet';
}

export async function open() {
  throw new Error('not written yet');
}
