/** What was typed into a field that is never empty, so that deleting can be seen too. */

/** Spaces would be joined, letters completed. */
const FILLING = '\u200b'.repeat(24);

/** How many characters of the filling went, and what came instead. */
export function typedText(value: string): { removed: number; added: string } {
  let kept = 0;
  while (kept < FILLING.length && value[kept] === FILLING[kept]) kept += 1;
  return { removed: FILLING.length - kept, added: value.slice(kept) };
}

/** What the field holds before anything is typed. */
typedText.filling = FILLING;
