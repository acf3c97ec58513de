import { ApiError, api } from '../api'
import { h, labelled, status } from '../dom'
import { t } from '../i18n'
import { why } from '../main'
import type { User } from '../types'

export function login_page(place: HTMLElement, done: (user: User) => void): void {
  const name = h('input', { name: 'user', autocomplete: 'username', required: true, autocapitalize: 'none', spellcheck: 'false' })
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true })
  const said = status('alert')
  const submit = async (event: Event) => {
    event.preventDefault()
    said.textContent = ''
    try {
      done(await api.login(name.value.trim(), password.value))
    } catch (failure) {
      const code = failure instanceof ApiError ? failure.status : -1
      said.textContent = code === 401 || code === 403 ? t('login_wrong') : code === 429 ? t('login_slow') : why(failure)
      password.select()
    }
  }
  place.append(
    h(
      'form',
      { class: 'card narrow', onsubmit: submit },
      h('h1', {}, t('login_title')),
      labelled(t('user'), name),
      labelled(t('password'), password),
      h('button', { type: 'submit', class: 'main' }, t('log_in')),
      said,
      h('p', { class: 'note' }, t('first_login')),
    ),
  )
  name.focus()
}
