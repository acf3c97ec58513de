// The drop zone and the choice of a model.
import { api } from '../api'
import { fill, h, labelled, status } from '../dom'
import { bytes, number, t } from '../i18n'
import { why } from '../main'
import type { Job, Model } from '../types'
import { type ChosenFile, files_of_drop, files_of_input, name_of } from '../upload/dropped_files'
import { send_files } from '../upload/upload'

export function new_case(models: Model[], started: (job: Job) => void): HTMLElement {
  let chosen: ChosenFile[] = []
  const said = status()
  const alarm = status('alert')
  const bar = h('progress', { max: 1, value: 0, hidden: true })
  const file_input = h('input', { type: 'file', multiple: true, hidden: true, id: 'files', onchange: () => choose(files_of_input(file_input.files)) })
  const folder_input = h('input', { type: 'file', webkitdirectory: true, hidden: true, id: 'folder', onchange: () => choose(files_of_input(folder_input.files)) })
  const what = h('p', { class: 'chosen', role: 'status' })
  const start = h('button', { class: 'main', id: 'start', disabled: true, onclick: () => void send() }, t('start'))
  const stop = h('button', { hidden: true }, t('cancel'))
  const facts = h('div')
  const model = h('select', { id: 'model', onchange: () => fill(facts, model_facts(models.find((m) => m.name === model.value))) })
  model.append(...models.map((m) => h('option', { value: m.name }, m.title || m.name)))
  fill(facts, model_facts(models[0]))

  function choose(files: ChosenFile[]): void {
    chosen = files
    alarm.textContent = said.textContent = ''
    const size = bytes(files.reduce((sum, f) => sum + f.file.size, 0))
    if (files.length === 0) what.textContent = t('drop_empty')
    else what.textContent = t(files.length === 1 ? 'chosen_one' : 'chosen', { name: name_of(files), count: number(files.length), size })
    start.disabled = files.length === 0 || models.length === 0
    if (!start.disabled) start.focus()
  }

  async function send(): Promise<void> {
    const name = name_of(chosen)
    const abort = new AbortController()
    stop.onclick = () => abort.abort()
    start.disabled = true
    stop.hidden = bar.hidden = false
    const progress = (fraction: number) => {
      bar.value = fraction
      said.textContent = t('uploading', { name, percent: number(Math.floor(fraction * 100)) })
    }
    try {
      progress(0)
      const upload = await send_files(name, chosen, progress, abort.signal)
      started(await api.start(upload, model.value))
      said.textContent = t('upload_done', { name })
      chosen = []
      what.textContent = file_input.value = folder_input.value = ''
    } catch (failure) {
      said.textContent = ''
      if (abort.signal.aborted) said.textContent = t('upload_cancelled')
      else alarm.textContent = why(failure)
      start.disabled = false
    }
    stop.hidden = bar.hidden = true
  }

  const zone = h(
    'div',
    {
      class: 'drop',
      id: 'drop',
      ondragover: (event) => {
        event.preventDefault()
        zone.classList.add('over')
      },
      ondragleave: () => zone.classList.remove('over'),
      ondrop: (event) => {
        event.preventDefault()
        zone.classList.remove('over')
        const data = (event as DragEvent).dataTransfer
        if (data) void files_of_drop(data).then(choose, (failure: unknown) => (alarm.textContent = why(failure)))
      },
    },
    h('h1', {}, t('drop_title')),
    h('p', { class: 'note' }, t('drop_kinds')),
    h(
      'p',
      { class: 'row' },
      h('button', { onclick: () => file_input.click() }, t('choose_files')),
      h('button', { onclick: () => folder_input.click() }, t('choose_folder')),
    ),
    file_input,
    folder_input,
    what,
  )
  return h(
    'section',
    { class: 'card', 'aria-label': t('drop_title') },
    zone,
    models.length > 0 ? labelled(t('model'), model) : h('p', { class: 'alert' }, t('models_none')),
    facts,
    h('p', { class: 'row' }, start, stop),
    bar,
    said,
    alarm,
  )
}

/** What a user has to know before he chooses a model. */
export function model_facts(model: Model | undefined): HTMLElement | null {
  if (!model) return null
  const fact = (name: string, value: string | undefined) => [h('dt', {}, name), h('dd', {}, value || t('not_stated'))]
  return h(
    'dl',
    { class: 'facts' },
    ...fact(t('task'), model.task || model.description),
    ...fact(t('organs_found'), organs(model).join(', ')),
    ...fact(t('dice'), typeof model.dice === 'number' ? number(model.dice, 3) : undefined),
    ...fact(t('intended_use'), model.intended_use),
    ...fact(t('licence'), model.license),
    ...fact(t('version'), model.version),
  )
}

function organs(model: Model): string[] {
  return Object.entries(model.labels ?? {})
    .filter(([value]) => value !== '0')
    .map(([, name]) => name)
}
