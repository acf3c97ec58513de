// How the scan is looked at: planes, window, opacity, slices, measuring.
import { h, labelled } from '../dom'
import { type Word, t } from '../i18n'
import type { Layout, Scene, Window } from './scene'

const kLayouts: Layout[] = ['all', 'axial', 'coronal', 'sagittal', '3d']
const kWindows: Window[] = ['soft', 'lung', 'bone', 'brain', 'full']

/** Buttons of which one is pressed. */
export function choice<T extends string>(name: string, values: readonly T[], words: (value: T) => string, chosen: T, pick: (value: T) => void): HTMLElement {
  const buttons = values.map((value) =>
    h(
      'button',
      {
        type: 'button',
        'aria-pressed': String(value === chosen),
        'data-value': value,
        onclick: () => {
          for (const b of buttons) b.setAttribute('aria-pressed', String(b.dataset.value === value))
          pick(value)
        },
      },
      words(value),
    ),
  )
  return h('div', { class: 'choice', role: 'group', 'aria-label': name }, ...buttons)
}

export function view_panel(scene: Scene, sliders: HTMLElement): HTMLElement {
  const opacity = h('input', { type: 'range', min: 0, max: 1, step: 0.05, value: 0.5, id: 'opacity' })
  opacity.oninput = () => scene.set_opacity(Number(opacity.value))
  const slices = scene.slices()
  const words: Word[] = ['slice_x', 'slice_y', 'slice_z']
  const ranges = ([0, 1, 2] as const).map((axis) => {
    const range = h('input', { type: 'range', min: 1, max: slices[axis], step: 1 })
    range.oninput = () => scene.move(axis, (Number(range.value) - 0.5) / slices[axis])
    sliders.append(labelled(t(words[axis]), range))
    return range
  })
  const follow = () => scene.position().forEach((at, axis) => (ranges[axis].value = String(Math.floor(at * slices[axis]) + 1)))
  scene.on_move = follow
  follow()
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'view' },
    h('h2', { id: 'view' }, t('layout')),
    choice(t('layout'), kLayouts, (l) => t(`layout_${l}`), 'all', (l) => scene.set_layout(l)),
    h('h2', {}, t('window')),
    choice(t('window'), kWindows, (w) => t(`window_${w}`), 'soft', (w) => scene.set_window(w)),
    labelled(t('opacity'), opacity),
  )
}

export function tool_panel(scene: Scene): HTMLElement {
  return h(
    'section',
    { class: 'card', 'aria-labelledby': 'tools' },
    h('h2', { id: 'tools' }, t('tools')),
    h(
      'div',
      { class: 'row' },
      choice(t('tools'), ['move', 'measure'] as const, (tool) => t(`tool_${tool}`), 'move', (tool) => scene.set_measuring(tool === 'measure')),
      h('button', { onclick: () => scene.clear_measurements() }, t('clear_measurements')),
    ),
  )
}
