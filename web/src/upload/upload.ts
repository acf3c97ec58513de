// Uploads in chunks. After a broken connection the server is asked what it has, and the rest is sent.
import { ApiError, api, request } from '../api'
import type { ChosenFile } from './dropped_files'

const kChunk = 4 << 20
const kPatience = 8

/** Sends the files and returns the upload's id; `progress` hears the fraction sent. Aborting removes what is there. */
export async function send_files(name: string, files: ChosenFile[], progress: (fraction: number) => void, signal: AbortSignal): Promise<string> {
  const total = Math.max(1, files.reduce((sum, f) => sum + f.file.size, 0))
  const { id } = await api.start_upload(name, files.map((f) => ({ path: f.path, size: f.file.size })))
  try {
    let before = 0
    for (const [n, { file }] of files.entries()) {
      await send_file(id, n, file, (sent) => progress((before + sent) / total), signal)
      before += file.size
    }
    await api.complete_upload(id)
    return id
  } catch (failure) {
    // What cannot be finished is not kept; the first failure is the one to tell.
    await api.drop_upload(id).catch(() => {})
    throw failure
  }
}

async function send_file(id: string, n: number, file: File, progress: (sent: number) => void, signal: AbortSignal): Promise<void> {
  let offset = 0
  let failures = 0
  while (offset < file.size) {
    try {
      await request('PUT', `/uploads/${id}/files/${n}?offset=${offset}`, file.slice(offset, offset + kChunk), signal)
      offset = Math.min(file.size, offset + kChunk)
      failures = 0
      progress(offset)
    } catch (failure) {
      const broken = failure instanceof ApiError && (failure.status === 0 || failure.status === 409 || failure.status >= 502)
      if (signal.aborted || !broken || ++failures > kPatience) throw failure
      await new Promise((done) => setTimeout(done, 250 * 2 ** Math.min(failures, 5)))
      offset = await received(id, n, offset)
    }
  }
}

async function received(id: string, n: number, otherwise: number): Promise<number> {
  try {
    return (await api.upload_state(id)).files[n].there
  } catch (failure) {
    if (failure instanceof ApiError && failure.status === 0) return otherwise
    throw failure
  }
}
