// What a mask holds: labels with their voxels, names and colours.
import { t } from '../i18n'

export interface Organ {
  label: number
  name: string
  colour: [number, number, number]
  ml: number
  shown: boolean
}

// The program's own colours (src/image/preview.cpp), so that pictures, reports and the page agree.
const kPalette: [number, number, number][] = [
  [255, 99, 88],
  [78, 205, 196],
  [255, 209, 102],
  [120, 160, 255],
  [199, 125, 255],
  [128, 222, 98],
  [255, 159, 67],
  [255, 120, 190],
  [60, 190, 240],
  [190, 220, 90],
  [230, 150, 130],
  [150, 150, 220],
]

export function colour_of(label: number): [number, number, number] {
  return kPalette[(Math.max(1, label) - 1) % kPalette.length]
}

export function css_colour([r, g, b]: [number, number, number]): string {
  return `rgb(${r}, ${g}, ${b})`
}

/** Voxels of each label but the background; undefined if there is a value that is no label from 0 to 255. */
export function count_labels(voxels: ArrayLike<number>): Map<number, number> | undefined {
  const counts = new Uint32Array(256)
  for (let i = 0; i < voxels.length; i++) {
    const v = voxels[i]
    if (v < 0 || v > 255 || !Number.isInteger(v)) return undefined
    counts[v]++
  }
  const out = new Map<number, number>()
  for (let v = 1; v < 256; v++) if (counts[v] > 0) out.set(v, counts[v])
  return out
}

/** All that the model names or the mask holds, ascending; `shown` is kept from the organs before. */
export function organs_of(counts: Map<number, number>, voxel_ml: number, names: Record<string, string>, before: Organ[] = []): Organ[] {
  const labels = new Set(counts.keys())
  for (const value of Object.keys(names)) if (Number(value) >= 1 && Number(value) <= 255) labels.add(Number(value))
  return [...labels]
    .sort((a, b) => a - b)
    .map((label) => ({
      label,
      name: names[label] ?? t('label', { value: label }),
      colour: colour_of(label),
      ml: (counts.get(label) ?? 0) * voxel_ml,
      shown: before.find((o) => o.label === label)?.shown ?? true,
    }))
}
