/** The files that a drop, a paste or a chooser brings, with their folders. */

export interface Item {
  file: File;
  /** The path below the folder for uploads. */
  path: string;
}

export function ofChooser(files: FileList | null): Item[] {
  return [...(files ?? [])].map((file) => ({ file, path: file.webkitRelativePath || file.name }));
}

/** What was dropped or pasted. Must be called within the event: what it holds is gone after it. */
export function ofTransfer(transfer: DataTransfer): Promise<Item[]> {
  const entries = [...transfer.items]
    .filter((item) => item.kind === 'file')
    .map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  return Promise.all(
    entries.map(({ entry, file }) => {
      if (entry) return walk(entry);
      return file ? [{ file, path: file.name }] : [];
    }),
  ).then((all) => all.flat());
}

async function walk(entry: FileSystemEntry): Promise<Item[]> {
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [{ file, path: entry.fullPath.replace(/^\/+/, '') }];
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader();
  const items: Item[] = [];
  for (;;) {
    // A reader gives some at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return items;
    for (const one of some) items.push(...(await walk(one)));
  }
}
