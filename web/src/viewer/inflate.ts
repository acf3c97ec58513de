// Gzip as vesal writes it: several members, one after the other, as they were compressed in parallel. Browsers' own DecompressionStream
// stops after the first member, so files of several go through fflate.
import { Gunzip } from 'fflate'

/** The bytes themselves if they are not compressed. Throws Error for damaged files. */
export async function inflate(file: ArrayBuffer): Promise<ArrayBuffer> {
  const bytes = new Uint8Array(file)
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return file
  try {
    return await new Response(new Blob([file]).stream().pipeThrough(new DecompressionStream('gzip'))).arrayBuffer()
  } catch {
    return inflate_members(bytes)
  }
}

function inflate_members(bytes: Uint8Array): ArrayBuffer {
  const pieces: Uint8Array[] = []
  let size = 0
  const gunzip = new Gunzip((piece) => {
    pieces.push(piece)
    size += piece.length
  })
  gunzip.push(bytes, true)
  const out = new Uint8Array(size)
  let at = 0
  for (const piece of pieces) {
    out.set(piece, at)
    at += piece.length
  }
  return out.buffer
}
