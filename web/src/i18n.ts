// Vietnamese and English. Both tables have the same keys: `words_vi` is typed by `words_en`.
import { words_en } from './words/words_en'
import { words_vi } from './words/words_vi'

export type Language = 'vi' | 'en'
export type Word = keyof typeof words_en

const tables: Record<Language, Record<Word, string>> = { vi: words_vi, en: words_en }
const kKey = 'vesal.language'

let current: Language = first_language()

function first_language(): Language {
  const kept = localStorage.getItem(kKey)
  if (kept === 'vi' || kept === 'en') return kept
  return navigator.language.startsWith('vi') ? 'vi' : 'en'
}

export function language(): Language {
  return current
}

export function set_language(next: Language): void {
  current = next
  localStorage.setItem(kKey, next)
  document.documentElement.lang = next
}

/** A text in the chosen language; "{name}" stands for values. */
export function t(word: Word, values: Record<string, string | number> = {}): string {
  return tables[current][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ''))
}

export function number(value: number, digits = 0): string {
  return value.toLocaleString(current, { minimumFractionDigits: digits, maximumFractionDigits: digits })
}

/** Date and time of milliseconds since 1970, in the reader's own time zone. */
export function moment(time: number): string {
  return new Date(time).toLocaleString(current, { dateStyle: 'short', timeStyle: 'short' })
}

export function bytes(count: number): string {
  return count < 1e9 ? `${number(count / 1e6, 1)} MB` : `${number(count / 1e9, 1)} GB`
}
