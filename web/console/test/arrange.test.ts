import type { Workspace } from '@porthole/api';
import { describe, expect, it } from 'vitest';
import { compare } from '../src/admin/compare';
import { arrange, matches } from '../src/dashboard/arrange';
import { de } from '../src/i18n/de';
import { en } from '../src/i18n/en';

const workspace = (name: string, categories: string[] = []) =>
  ({ id: name, name, description: `About ${name}`, categories }) as Workspace;
const titles = { favourites: 'Favourites', other: 'Other' };

describe('arrange', () => {
  const all = [
    workspace('Writer', ['Office']),
    workspace('Firefox', ['Browsers', 'Office']),
    workspace('Alone'),
    workspace('Chromium', ['Browsers']),
  ];
  const shown = (favourites: string[]) =>
    arrange(all, new Set(favourites), titles).map(
      (shelf) => `${shelf.title}: ${shelf.workspaces.map((w) => w.name).join(' ')}`,
    );

  it('shelves by first category, by name, the rest last', () => {
    expect(shown([])).toEqual(['Browsers: Chromium Firefox', 'Office: Writer', 'Other: Alone']);
  });

  it('shows favourites first and only there', () => {
    expect(shown(['Writer', 'Firefox'])).toEqual([
      'Favourites: Firefox Writer',
      'Browsers: Chromium',
      'Other: Alone',
    ]);
  });
});

describe('matches', () => {
  it('needs every word, anywhere, in any case', () => {
    const firefox = workspace('Firefox', ['Browsers']);
    expect(matches(firefox, 'fire BROWS')).toBe(true);
    expect(matches(firefox, '')).toBe(true);
    expect(matches(firefox, 'fire office')).toBe(false);
  });
});

describe('compare', () => {
  it('sorts numbers as numbers and texts as people do', () => {
    expect([10, 9, 2].sort(compare)).toEqual([2, 9, 10]);
    expect(['b10', 'B9', 'a'].sort(compare)).toEqual(['a', 'B9', 'b10']);
  });
});

describe('texts', () => {
  type Tree = { [key: string]: string | Tree };
  const flat = (tree: Tree, path = ''): [string, string][] =>
    Object.entries(tree).flatMap(([key, value]) =>
      typeof value === 'string' ? [[path + key, value]] : flat(value, `${path}${key}.`),
    );
  const holes = (text: string) => (text.match(/\{\{\w+\}\}/g) ?? []).sort().join();

  it('say the same things in German, with the same holes', () => {
    const german = new Map(flat(de as unknown as Tree));
    for (const [key, text] of flat(en as unknown as Tree)) {
      expect(holes(german.get(key) ?? 'missing'), key).toBe(holes(text));
    }
    expect(german.size).toBe(flat(en as unknown as Tree).length);
  });
});
