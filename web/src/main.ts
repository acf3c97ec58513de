// The page: who is logged in decides what is shown, the part of the address after "#" decides which page.
import './style.css'
import { ApiError, api, when_logged_out } from './api'
import { fill, h } from './dom'
import { type Word, language, set_language, t } from './i18n'
import type { User } from './types'

/** A page fills its place and may return what is to be done when it is left. */
export type Page = (place: HTMLElement, user: User, rest: string[]) => void | (() => void) | Promise<void | (() => void)>

const root = document.getElementById('page') as HTMLElement
let user: User | null = null
let leave: (() => void) | void
let turn = 0

// Pages come when they are asked for: the viewer is larger than all the rest.
const pages: Record<string, () => Promise<Page>> = {
  '': async () => (await import('./pages/start')).start_page,
  job: async () => (await import('./pages/viewer')).viewer_page,
  admin: async () => (await import('./pages/admin')).admin_page,
  password: async () => (await import('./pages/password')).password_page,
}

export function go(hash: string): void {
  if (location.hash === hash) void show()
  else location.hash = hash
}

async function show(): Promise<void> {
  const mine = ++turn
  leave?.()
  leave = undefined
  document.documentElement.lang = language()
  if (!user) {
    const { login_page } = await import('./pages/login')
    if (mine !== turn) return
    const place = h('main', { id: 'content', tabindex: -1 })
    fill(root, header(), place)
    login_page(place, (logged_in) => {
      user = logged_in
      void show()
    })
    return
  }
  const [name, ...rest] = location.hash.replace(/^#\/?/, '').split('/').map(decodeURIComponent)
  const wanted = user.must_change ? 'password' : name in pages ? name : ''
  const place = h('main', { id: 'content', tabindex: -1, class: `page-${wanted || 'start'}` }, h('p', { class: 'note' }, t('loading')))
  fill(root, header(), place)
  try {
    const page = await pages[wanted]()
    if (mine !== turn) return
    fill(place)
    const left = await page(place, user, rest)
    if (mine === turn) leave = left
    else left?.()
  } catch (failure) {
    if (mine === turn) fill(place, h('p', { class: 'alert', role: 'alert' }, why(failure)))
  }
}

/** What to tell of a failure. */
export function why(failure: unknown): string {
  if (failure instanceof ApiError) return failure.status === 0 ? t('unreachable') : t('failed', { why: failure.message || failure.status })
  return t('failed', { why: failure instanceof Error ? failure.message : String(failure) })
}

function header(): HTMLElement {
  const other = language() === 'vi' ? 'en' : 'vi'
  const switch_language = h(
    'button',
    {
      class: 'quiet',
      lang: other,
      id: 'language',
      onclick: () => {
        set_language(other)
        void show().then(() => document.getElementById('language')?.focus())
      },
    },
    other === 'vi' ? 'Tiếng Việt' : 'English',
  )
  const here = location.hash.replace(/^#\/?/, '').split('/')[0]
  const link = (hash: string, word: Word) =>
    h('a', { href: `#/${hash}`, 'aria-current': (here === hash.split('/')[0] && 'page') || null }, t(word))
  const logged_in = user && !user.must_change
  return h(
    'header',
    { class: 'bar' },
    h('a', { class: 'skip', href: '#content', onclick: skip }, t('skip')),
    h('a', { class: 'brand', href: '#/' }, 'vesal'),
    logged_in &&
      h('nav', { 'aria-label': t('menu') }, link('', 'scans'), user?.role === 'administrator' && link('admin/users', 'administration')),
    h('span', { class: 'space' }),
    switch_language,
    logged_in && h('a', { href: '#/password', title: t('change_password') }, user?.name ?? ''),
    user && h('button', { class: 'quiet', id: 'logout', onclick: () => void log_out() }, t('log_out')),
  )
}

/** The address is the page's name, so the link to the content must not change it. */
function skip(event: Event): void {
  event.preventDefault()
  document.getElementById('content')?.focus()
}

async function log_out(): Promise<void> {
  await api.logout().catch(() => {})
  user = null
  location.hash = '#/'
  void show()
}

/** After a password was changed. */
export async function know_user_again(): Promise<void> {
  user = await api.me()
  go('#/')
}

when_logged_out(() => {
  if (!user) return
  user = null
  void show()
})
window.addEventListener('hashchange', () => void show())
void api
  .me()
  .then((known) => (user = known))
  .catch(() => {})
  .then(show)
