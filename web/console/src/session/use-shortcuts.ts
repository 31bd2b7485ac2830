import { useEffect } from 'react';

interface Shortcuts {
  /** Ctrl+Alt+Shift, with nothing else pressed meanwhile. */
  panel(): void;
  /** Esc in the panel. */
  close(): void;
  /** Ctrl+Alt+Shift+P. */
  hold(): void;
}

const MODIFIERS = new Set(['Control', 'Alt', 'Shift', 'Meta', 'AltGraph']);

/** The page's own shortcuts, wherever the keyboard is. */
export function useShortcuts({ panel, close, hold }: Shortcuts): void {
  useEffect(() => {
    const ending = new AbortController();
    const options = { capture: true, signal: ending.signal };
    // All three are down, and so far nothing else.
    let chord = false;
    window.addEventListener(
      'keydown',
      (event) => {
        const all = event.ctrlKey && event.altKey && event.shiftKey;
        const modifier = MODIFIERS.has(event.key);
        chord = all && modifier;
        if (all && event.code === 'KeyP') {
          event.preventDefault();
          event.stopImmediatePropagation();
          hold();
        } else if (event.key === 'Escape' && document.activeElement?.closest('[data-panel]')) {
          event.stopPropagation();
          close();
        }
      },
      options,
    );
    window.addEventListener(
      'keyup',
      () => {
        if (chord) panel();
        chord = false;
      },
      options,
    );
    return () => ending.abort();
  }, [panel, close, hold]);
}
