// What was dropped or chosen, as a flat list: folders are walked, and each file keeps its path inside them.

export interface ChosenFile {
  path: string
  file: File
}

/** Reads a drop. Entries have to be taken from the event at once, before anything is awaited: the browser clears them afterwards. */
export async function files_of_drop(data: DataTransfer): Promise<ChosenFile[]> {
  const entries = [...data.items].map((item) => item.webkitGetAsEntry()).filter((e): e is FileSystemEntry => e !== null)
  if (entries.length === 0) return files_of_input(data.files)
  const out: ChosenFile[] = []
  for (const entry of entries) await walk(entry, out)
  return out
}

export function files_of_input(files: FileList | null): ChosenFile[] {
  return [...(files ?? [])].filter((f) => !hidden(f.name)).map((file) => ({ path: file.webkitRelativePath || file.name, file }))
}

/** A name for people: of one file its own, of a folder the folder's. */
export function name_of(files: ChosenFile[]): string {
  const first = files[0].path
  return first.includes('/') ? first.slice(0, first.indexOf('/')) : files.length === 1 ? first : `${first} +${files.length - 1}`
}

async function walk(entry: FileSystemEntry, out: ChosenFile[]): Promise<void> {
  if (hidden(entry.name)) return
  if (entry.isFile) {
    const file = await new Promise<File>((done, failed) => (entry as FileSystemFileEntry).file(done, failed))
    out.push({ path: entry.fullPath.replace(/^\//, ''), file })
    return
  }
  const reader = (entry as FileSystemDirectoryEntry).createReader()
  for (;;) {
    // A reader gives a hundred entries at a time, and none at the end.
    const some = await new Promise<FileSystemEntry[]>((done, failed) => reader.readEntries(done, failed))
    if (some.length === 0) return
    for (const e of some) await walk(e, out)
  }
}

function hidden(name: string): boolean {
  return name.startsWith('.') || name === 'Thumbs.db' || name === 'desktop.ini'
}
