// Runs before the first paint so that a dark page does not flash white.
(() => {
  let wanted = null;
  try {
    wanted = localStorage.getItem('porthole-scheme');
  } catch {
    // Storage may be forbidden; the system's choice is taken then.
  }
  const dark =
    wanted === 'dark' || (wanted !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches);
  document.documentElement.setAttribute('data-mantine-color-scheme', dark ? 'dark' : 'light');
})();
