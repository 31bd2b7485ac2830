// Stands in the page itself: runs before anything is loaded, and before the first paint.
(() => {
  // A dark page must not flash white.
  let wanted = null;
  try {
    wanted = localStorage.getItem('porthole-scheme');
  } catch {
    // Storage may be forbidden; the system's choice is taken then.
  }
  const dark =
    wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');

  // A session's page asks for its stream before its code is there (session/screen.ts).
  const id = /^\/session\/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\/?$/.exec(
    location.pathname,
  )?.[1];
  if (id) {
    const answer = fetch(`/api/v1/sessions/${id}/connect`, { method: 'POST' });
    // Whoever takes it hears of a failure.
    answer.catch(() => {});
    window.portholeEarly = { id, answer };
  }

  // A network that changes meanwhile (another Wi-Fi, a VPN, containers that start beside the
  // browser) breaks off what is being loaded, and a browser does not ask again: the page would stay
  // blank. It is loaded anew then, later and later, and in the end says so.
  const MOST = 5;
  const WITHIN = 60_000;
  const TIMES = 'porthole-reloads';
  let again;
  const tell = () => {
    const german = navigator.language.startsWith('de');
    const text = document.createElement('p');
    text.textContent = german
      ? 'Die Seite konnte nicht ganz geladen werden. Prüfen Sie die Verbindung und laden Sie sie neu.'
      : 'The page could not be loaded completely. Check the connection, and reload it.';
    const button = document.createElement('button');
    button.textContent = german ? 'Neu laden' : 'Reload';
    button.style.cssText = 'font: inherit; padding: 8px 20px';
    button.addEventListener('click', () => location.reload());
    document.documentElement.style.colorScheme = dark ? 'dark' : 'light';
    document.body.style.cssText =
      'font: 16px/1.5 system-ui, sans-serif; margin: 20vh auto 0; max-width: 480px; padding: 0 16px; text-align: center';
    document.body.replaceChildren(text, button);
  };
  const failed = () => {
    if (again) return;
    let count = MOST;
    try {
      const now = Date.now();
      const times = JSON.parse(sessionStorage.getItem(TIMES) ?? '[]');
      const recent = times.filter((time) => time > now - WITHIN);
      sessionStorage.setItem(TIMES, JSON.stringify([...recent, now]));
      count = recent.length;
    } catch {
      // What cannot be counted must not go on for ever.
    }
    if (count < MOST) again = setTimeout(() => location.reload(), 250 * 2 ** count);
    else if (document.body) tell();
    else addEventListener('DOMContentLoaded', tell);
  };
  addEventListener(
    'error',
    ({ target }) => {
      const script = target instanceof HTMLScriptElement;
      if (script || (target instanceof HTMLLinkElement && target.rel === 'stylesheet')) failed();
    },
    true,
  );
  // A part of the console that is fetched when it is needed.
  addEventListener('vite:preloadError', failed);
})();
