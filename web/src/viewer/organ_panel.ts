// The organs with colour, name, volume; each can be hidden and found.
import { fill, h } from '../dom'
import { number, t } from '../i18n'
import { type Organ, css_colour } from './organs'
import type { Scene } from './scene'

export interface OrganPanel {
  element: HTMLElement
  set(organs: Organ[]): void
  organs(): Organ[]
}

export function organ_panel(scene: Scene): OrganPanel {
  let organs: Organ[] = []
  const list = h('div')
  const row = (organ: Organ) => {
    const swatch = h('span', { class: 'swatch', 'aria-hidden': 'true' })
    swatch.style.background = css_colour(organ.colour)
    const shown = h('input', { type: 'checkbox', checked: organ.shown, 'aria-label': t('show', { name: organ.name }), 'data-label': organ.label })
    shown.onchange = () => {
      organ.shown = shown.checked
      scene.set_organs(organs)
    }
    return h(
      'tr',
      {},
      h('td', {}, shown),
      h('th', { scope: 'row' }, h('button', { class: 'quiet', disabled: organ.ml === 0, onclick: () => scene.find(organ.label) }, swatch, organ.name)),
      h('td', { class: 'number' }, number(organ.ml, 1)),
    )
  }
  return {
    element: h('section', { class: 'card', 'aria-labelledby': 'organs' }, h('h2', { id: 'organs' }, t('organs')), list),
    organs: () => organs,
    set(next) {
      const focused = (document.activeElement as HTMLElement | null)?.dataset.label
      organs = next
      scene.set_organs(organs)
      const head = h('tr', {}, h('td'), h('th', { scope: 'col' }, t('organ')), h('th', { scope: 'col', class: 'number' }, t('volume_ml')))
      fill(list, organs.some((o) => o.ml > 0) ? null : h('p', { class: 'note' }, t('nothing_found')), h('table', { class: 'organs' }, h('thead', {}, head), h('tbody', {}, ...organs.map(row))))
      if (focused) list.querySelector<HTMLElement>(`[data-label="${focused}"]`)?.focus()
    },
  }
}
