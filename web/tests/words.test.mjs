// Both languages have the same words.
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import test from 'node:test'

const keys = (file) => [...readFileSync(new URL(`../src/words/${file}`, import.meta.url), 'utf8').matchAll(/^\s*'?([\w.]+)'?:\s/gm)].map((m) => m[1]).sort()

test('English and Vietnamese have the same words', () => {
  const english = keys('words_en.ts')
  assert.ok(english.length > 100)
  assert.deepEqual(keys('words_vi.ts'), english)
})
