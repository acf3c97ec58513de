// A password of one's own: at the first login nothing else is shown before it is chosen.
import { api } from '../api'
import { h, labelled, status } from '../dom'
import { t } from '../i18n'
import { type Page, know_user_again, why } from '../main'

const kShortest = 10

export const password_page: Page = (place, user) => {
  const field = (kind: string) => h('input', { type: 'password', autocomplete: kind, required: true, minlength: kind === 'new-password' ? kShortest : null })
  const old_password = field('current-password')
  const first = field('new-password')
  const second = field('new-password')
  const said = status('alert')
  const submit = async (event: Event) => {
    event.preventDefault()
    if (first.value.length < kShortest) said.textContent = t('password_short')
    else if (first.value !== second.value) said.textContent = t('passwords_differ')
    else
      try {
        await api.change_password(old_password.value, first.value)
        await know_user_again()
      } catch (failure) {
        said.textContent = why(failure)
      }
  }
  place.append(
    h(
      'form',
      { class: 'card narrow', onsubmit: submit, novalidate: true },
      h('h1', {}, t(user.must_change ? 'new_password_title' : 'change_password')),
      user.must_change && h('p', {}, t('new_password_why')),
      h('input', { type: 'text', autocomplete: 'username', value: user.name, hidden: true }),
      labelled(t('old_password'), old_password),
      labelled(t('new_password'), first),
      labelled(t('repeat_password'), second),
      h('button', { type: 'submit', class: 'main' }, t('save')),
      said,
    ),
  )
  old_password.focus()
}
