// The administrator's pages.
import { api } from '../api'
import { fill, h, labelled, status } from '../dom'
import { type Word, bytes, moment, t } from '../i18n'
import { type Page, why } from '../main'
import type { AuditEntry, Role, User } from '../types'
import { model_facts } from './new_case'

const kRoles: Role[] = ['viewer', 'doctor', 'engineer', 'administrator']

const parts: Record<string, (place: HTMLElement, me: User) => Promise<void>> = { users, models, storage, audit }

export const admin_page: Page = async (place, user, rest) => {
  const wanted = rest[0] in parts ? rest[0] : 'users'
  const part = h('section', { class: 'card', 'aria-labelledby': 'part' })
  const link = (name: string) => h('a', { href: `#/admin/${name}`, 'aria-current': (name === wanted && 'page') || null }, t(name as Word))
  place.append(h('nav', { class: 'tabs', 'aria-label': t('admin_menu') }, ...Object.keys(parts).map(link)), part)
  part.append(h('h1', { id: 'part' }, t(wanted as Word)))
  await parts[wanted](part, user)
}

function table(head: string[], rows: HTMLElement[]): HTMLElement {
  return h(
    'div',
    { class: 'scrolls' },
    h('table', {}, h('thead', {}, h('tr', {}, ...head.map((text) => h('th', { scope: 'col' }, text)))), h('tbody', {}, ...rows)),
  )
}

async function users(place: HTMLElement, me: User): Promise<void> {
  const list = h('div')
  const said = status()
  const alarm = status('alert')
  // One-time passwords are shown once: the server keeps a hash only.
  const attempt = async (name: string, what: Promise<{ one_time_password?: string }>, word: 'user_added' | 'password_made') => {
    alarm.textContent = said.textContent = ''
    try {
      const password = (await what).one_time_password
      if (password) said.textContent = t(word, { name, password })
      await show()
      return true
    } catch (failure) {
      alarm.textContent = why(failure)
      return false
    }
  }
  const roles = (chosen: Role) => kRoles.map((r) => h('option', { value: r, selected: r === chosen }, t(`role_${r}`)))
  const row = (user: User) => {
    const change = (what: Parameters<typeof api.change_user>[1]) => void attempt(user.name, api.change_user(user.id, what), 'password_made')
    const button = (word: Word, what: () => void) => h('button', { 'aria-label': `${t(word)}: ${user.name}`, onclick: what }, t(word))
    const own = user.name === me.name // nobody locks himself out
    const role = h('select', { 'aria-label': t('role_of', { name: user.name }), disabled: own }, ...roles(user.role))
    role.onchange = () => change({ role: role.value as Role })
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, user.name),
      h('td', {}, role),
      h('td', {}, t(user.disabled ? 'locked' : 'active')),
      h(
        'td',
        { class: 'row' },
        !own && button(user.disabled ? 'unlock' : 'lock', () => change({ disabled: !user.disabled })),
        !own && button('new_one_time', () => change({ new_password: true })),
      ),
    )
  }
  const show = async () => fill(list, table([t('user'), t('role'), t('state'), t('what_to_do')], (await api.users()).map(row)))

  const name = h('input', { required: true, autocomplete: 'off', autocapitalize: 'none', id: 'new-user' })
  const role = h('select', { id: 'new-user-role' }, ...roles('doctor'))
  const add = async (event: Event) => {
    event.preventDefault()
    const wanted = name.value.trim()
    if (await attempt(wanted, api.add_user(wanted, role.value as Role), 'user_added')) name.value = ''
  }
  place.append(
    list,
    h(
      'form',
      { class: 'row', onsubmit: add },
      h('h2', {}, t('add_user')),
      labelled(t('user'), name),
      labelled(t('role'), role),
      h('button', { type: 'submit', class: 'main' }, t('add')),
    ),
    said,
    alarm,
  )
  await show()
}

async function models(place: HTMLElement): Promise<void> {
  for (const model of await api.models()) place.append(h('article', {}, h('h2', {}, model.title || model.name), model_facts(model)))
}

async function storage(place: HTMLElement): Promise<void> {
  const row = (u: User) => h('tr', {}, h('th', { scope: 'row' }, u.name), h('td', { class: 'number' }, bytes(u.bytes ?? 0)))
  place.append(table([t('user'), t('scans_stored')], (await api.users()).map(row)))
}

async function audit(place: HTMLElement): Promise<void> {
  const entries = await api.audit()
  const list = h('div')
  const search = h('input', { type: 'search', placeholder: t('audit_search'), 'aria-label': t('audit_search'), oninput: () => show() })
  const row = (e: AuditEntry) => h('tr', {}, ...[moment(e.at), e.user, e.peer, e.action, e.object, String(e.outcome)].map((text) => h('td', {}, text)))
  const show = () => {
    const word = search.value.toLocaleLowerCase()
    const found = entries.filter((e) => `${e.user} ${e.peer} ${e.action} ${e.object} ${e.outcome}`.toLocaleLowerCase().includes(word))
    fill(list, table([t('when'), t('user'), t('address'), t('action'), t('object'), t('outcome')], found.map(row)))
  }
  place.append(h('p', { class: 'note' }, t('audit_why')), search, list)
  show()
}
