// One case: the scan with its mask, and what can be done with them.
import { api, request } from '../api'
import { fill, h, status } from '../dom'
import { t } from '../i18n'
import { type Page, why } from '../main'
import { download_panel } from '../viewer/download_panel'
import { edit_panel } from '../viewer/edit_panel'
import { inflate } from '../viewer/inflate'
import { organ_panel } from '../viewer/organ_panel'
import { organs_of } from '../viewer/organs'
import { Scene } from '../viewer/scene'
import { tool_panel, view_panel } from '../viewer/view_panel'

async function file(path: string): Promise<ArrayBuffer> {
  return inflate(await (await request('GET', path)).arrayBuffer())
}

export const viewer_page: Page = async (place, user, [id]) => {
  const job = await api.job(encodeURIComponent(id))
  const model = (await api.models()).find((m) => m.name === job.model)
  const path = `/jobs/${encodeURIComponent(job.id)}`
  const said = status()
  const canvas = h('canvas', { tabindex: 0, role: 'img', 'aria-label': `${t('viewer')}: ${job.name}`, id: 'canvas' })
  const side = h('aside', { class: 'side' })
  place.append(
    h(
      'div',
      { class: 'title' },
      h('a', { href: '#/' }, `← ${t('back')}`),
      h('h1', {}, job.name),
      h('span', { class: 'note' }, model?.title || job.model),
      model?.not_for_diagnosis && h('strong', { class: 'warning', role: 'note' }, t('demonstration')),
    ),
  )
  const sliders = h('div', { class: 'sliders' })
  const stage = h('div', { class: 'stage' }, h('div', { class: 'canvas' }, canvas), sliders, h('p', { class: 'note' }, t('viewer_keys')), said)
  place.append(h('div', { class: 'viewer' }, stage, side))
  side.append(download_panel(job, said))
  if (!document.createElement('canvas').getContext('webgl2')) {
    fill(stage, h('p', { class: 'alert', role: 'alert' }, t('no_webgl')))
    return
  }
  said.textContent = t('loading')
  const scene = new Scene()
  try {
    const [scan, mask] = await Promise.all([file(`${path}/scan.nii.gz`), file(job.corrected ? `${path}/correction` : `${path}/mask.nii.gz`)])
    await scene.show(canvas, scan, mask)
  } catch (failure) {
    scene.close()
    said.textContent = ''
    stage.append(h('p', { class: 'alert', role: 'alert' }, why(failure)))
    return
  }
  said.textContent = ''

  const panel = organ_panel(scene)
  const count = () => panel.set(organs_of(scene.counts() ?? new Map(), scene.voxel_ml(), model?.labels ?? {}, panel.organs()))
  count()
  const largest = panel.organs().reduce((a, b) => (b.ml > a.ml ? b : a), { label: 0, ml: 0 })
  if (largest.label > 0) scene.find(largest.label)
  scene.on_draw = count
  const may_correct = user.role !== 'viewer'
  side.prepend(
    panel.element,
    view_panel(scene, sliders),
    tool_panel(scene),
    (may_correct && edit_panel(scene, panel, job, said, count)) || '',
  )
  canvas.dataset.ready = 'yes'
  return () => scene.close()
}
