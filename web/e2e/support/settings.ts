/** Where the server under test is, and who may sign in there. */

function needed(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(
      `${name} is not set: the browser tests need a running server ` +
        '(PORTHOLE_URL, PORTHOLE_ADMIN_PASSWORD, PORTHOLE_USER_PASSWORD)',
    );
  }
  return value;
}

export const url = needed('PORTHOLE_URL').replace(/\/$/, '');
export const admin = { username: 'admin@kasm.local', password: needed('PORTHOLE_ADMIN_PASSWORD') };
export const user = { username: 'user@kasm.local', password: needed('PORTHOLE_USER_PASSWORD') };
/** The browser's program. */
export const browserPath = process.env.PORTHOLE_BROWSER ?? '/usr/bin/chromium';
/** The container engine's command. */
export const docker = process.env.PORTHOLE_DOCKER ?? 'docker';
/** Where pictures of failures and of the pages go; none without it. */
export const pictures = process.env.PORTHOLE_PICTURES;
