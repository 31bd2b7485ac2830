import type { Workspace } from '@porthole/api';

export interface Shelf {
  readonly title: string;
  readonly workspaces: Workspace[];
}

/** Whether every word of a search is somewhere in a workspace's texts. */
export function matches(workspace: Workspace, search: string): boolean {
  const text = [workspace.name, workspace.description, ...workspace.categories]
    .join(' ')
    .toLocaleLowerCase();
  return search
    .toLocaleLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/**
 * Tiles in the order of the dashboard: favourites, then each category by name, then those without
 * one. A workspace is shown once: in its first category, unless it is a favourite.
 */
export function arrange(
  workspaces: readonly Workspace[],
  favourites: ReadonlySet<string>,
  titles: { favourites: string; other: string },
): Shelf[] {
  const byName = (a: Workspace, b: Workspace) => a.name.localeCompare(b.name);
  const liked = workspaces.filter((w) => favourites.has(w.id)).sort(byName);
  const shelves = new Map<string, Workspace[]>();
  for (const workspace of workspaces) {
    if (favourites.has(workspace.id)) continue;
    const title = workspace.categories[0] ?? titles.other;
    shelves.set(title, [...(shelves.get(title) ?? []), workspace]);
  }
  const rest = [...shelves]
    .sort(
      ([a], [b]) => Number(a === titles.other) - Number(b === titles.other) || a.localeCompare(b),
    )
    .map(([title, list]) => ({ title, workspaces: list.sort(byName) }));
  return liked.length > 0 ? [{ title: titles.favourites, workspaces: liked }, ...rest] : rest;
}
