// The queue with its progress, and the table of what is finished.
import { api } from '../api'
import { h } from '../dom'
import { type Word, moment, number, t } from '../i18n'
import type { Job, Model } from '../types'

type Act = (what: Promise<unknown>) => Promise<void>
type Models = Map<string, Model>

export function queue_list(jobs: Job[], models: Models, act: Act): HTMLElement {
  if (jobs.length === 0) return h('p', { class: 'note' }, t('queue_empty'))
  return h(
    'ul',
    { class: 'queue' },
    ...jobs.map((job) =>
      h(
        'li',
        { 'data-job': job.id },
        h('strong', {}, job.name),
        h('span', { class: 'note' }, `${title_of(job, models)} · ${t(`state_${job.state}` as Word)}${left(job)}`),
        h('progress', { max: 1, value: job.progress || 0, 'aria-label': t('progress_of', { name: job.name }) }),
        h('button', { 'aria-label': `${t('cancel')}: ${job.name}`, onclick: () => void act(api.cancel(job.id)) }, t('cancel')),
      ),
    ),
  )
}

export function history_table(jobs: Job[], models: Models, any: boolean, act: Act): HTMLElement {
  if (jobs.length === 0) return h('p', { class: 'note' }, t(any ? 'history_none' : 'history_empty'))
  const head = [t('scan'), t('model'), t('state'), t('when')].map((text) => h('th', { scope: 'col' }, text))
  return h(
    'div',
    { class: 'scrolls' },
    h(
      'table',
      {},
      h('thead', {}, h('tr', {}, ...head, h('th', { scope: 'col' }, t('what_to_do')))),
      h('tbody', {}, ...jobs.map((job) => row(job, models, act))),
    ),
  )
}

function row(job: Job, models: Models, act: Act): HTMLElement {
  const remove = () => {
    if (confirm(t('remove_sure', { name: job.name }))) void act(api.remove(job.id))
  }
  const again = job.state === 'failed' || job.state === 'cancelled'
  return h(
    'tr',
    { 'data-job': job.id },
    h('th', { scope: 'row' }, job.state === 'done' ? h('a', { href: `#/job/${job.id}` }, job.name) : job.name),
    h('td', {}, title_of(job, models)),
    h('td', { class: `state-${job.state}` }, t(`state_${job.state}` as Word), job.corrected ? `, ${t('corrected')}` : '', job.error && h('div', { class: 'note' }, job.error)),
    h('td', {}, moment(job.created)),
    h(
      'td',
      { class: 'row' },
      job.state === 'done' && h('a', { class: 'button', href: `#/job/${job.id}`, 'aria-label': `${t('open')}: ${job.name}` }, t('open')),
      again && h('button', { 'aria-label': `${t('retry')}: ${job.name}`, onclick: () => void act(api.retry(job.id)) }, t('retry')),
      h('button', { 'aria-label': `${t('remove')}: ${job.name}`, onclick: remove }, t('remove')),
    ),
  )
}

function title_of(job: Job, models: Models): string {
  return models.get(job.model)?.title || job.model
}

function left(job: Job): string {
  const s = job.seconds_left
  if (job.state !== 'running' || typeof s !== 'number' || s <= 0) return ''
  return ` · ${number(job.progress * 100)} % · ${s < 90 ? t('seconds_left', { seconds: number(Math.ceil(s)) }) : t('minutes_left', { minutes: number(Math.ceil(s / 60)) })}`
}
