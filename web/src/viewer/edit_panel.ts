// Correcting a mask: a brush per organ, an eraser, undo, and saving as a label for later training.
import { api } from '../api'
import { fill, h, labelled } from '../dom'
import { t } from '../i18n'
import { why } from '../main'
import type { Job } from '../types'
import type { OrganPanel } from './organ_panel'
import type { Scene } from './scene'
import { choice } from './view_panel'

export function edit_panel(scene: Scene, panel: OrganPanel, job: Job, said: HTMLElement, recount: () => void): HTMLElement {
  const place = h('div')
  let changed = false

  function idle(): void {
    changed = false
    const start = h('button', { id: 'edit', onclick: begin }, t('edit_start'))
    fill(place, h('p', { class: 'note' }, t('edit_why')), start)
  }

  function begin(): void {
    if (!scene.start_editing()) {
      said.textContent = t('edit_unsuitable')
      return
    }
    const organ = h('select', { id: 'brush-organ' }, ...panel.organs().map((o) => h('option', { value: o.label }, o.name)))
    const size = h('input', { type: 'range', min: 1, max: 30, value: 3, id: 'brush-size' })
    const size_label = labelled(t('brush_size', { size: 3 }), size)
    let erasing = false
    const set_pen = () => {
      scene.set_pen(erasing ? 0 : Number(organ.value), Number(size.value))
      const text = size_label.firstElementChild
      if (text) text.textContent = t('brush_size', { size: size.value })
    }
    organ.onchange = size.oninput = set_pen
    set_pen()
    scene.on_draw = () => {
      changed = true
      recount()
    }
    fill(
      place,
      choice(t('edit'), ['brush', 'eraser'] as const, (tool) => t(tool), 'brush', (tool) => {
        erasing = tool === 'eraser'
        set_pen()
      }),
      labelled(t('brush_organ'), organ),
      size_label,
      h(
        'div',
        { class: 'row' },
        h('button', { id: 'undo', onclick: () => scene.undo() }, t('undo')),
        h('button', { class: 'main', id: 'save', onclick: () => void save() }, t('edit_save')),
        h('button', { onclick: discard }, t('edit_stop')),
      ),
    )
    organ.focus()
  }

  function end(): void {
    scene.on_draw = () => {}
    scene.stop_editing()
    recount()
    idle()
  }

  function discard(): void {
    if (!changed || confirm(t('edit_discard_sure'))) end()
  }

  async function save(): Promise<void> {
    try {
      const mask = await scene.drawn()
      const packed = new Blob([mask]).stream().pipeThrough(new CompressionStream('gzip'))
      await api.correct(job.id, new Uint8Array(await new Response(packed).arrayBuffer()))
      await scene.set_mask(mask)
      end()
      said.textContent = t('edit_saved')
    } catch (failure) {
      said.textContent = why(failure)
    }
  }

  idle()
  return h('section', { class: 'card', 'aria-labelledby': 'correct' }, h('h2', { id: 'correct' }, t('edit')), place)
}
