// Where a case begins: drop it, choose a model, watch the queue, find what is finished.
import { api } from '../api'
import { fill, h, status } from '../dom'
import { follow_jobs } from '../events'
import { t } from '../i18n'
import { type Page, why } from '../main'
import type { Job, Model } from '../types'
import { new_case } from './new_case'
import { history_table, queue_list } from './job_lists'

export const start_page: Page = async (place, user) => {
  const [models, first_jobs] = await Promise.all([api.models(), api.jobs()])
  const jobs = new Map<string, Job>(first_jobs.map((j) => [j.id, j]))
  const titles = new Map<string, Model>(models.map((m) => [m.name, m]))
  const said = status()
  const queue = h('div')
  const history = h('div')
  const search = h('input', { type: 'search', placeholder: t('search'), 'aria-label': t('search'), oninput: () => show_history() })
  // A shortened list is asked for again: events tell of changes only.
  const reload = async () => {
    const now = await api.jobs()
    jobs.clear()
    for (const job of now) jobs.set(job.id, job)
    show()
  }
  const act = async (what: Promise<unknown>) => {
    try {
      await what
      await reload()
    } catch (failure) {
      said.textContent = why(failure)
    }
  }
  const newest_first = () => [...jobs.values()].sort((a, b) => b.created - a.created)
  const waiting = (job: Job) => job.state === 'queued' || job.state === 'running'
  const show_queue = () => fill(queue, queue_list(newest_first().filter(waiting).reverse(), titles, act))
  const show_history = () => {
    const words = search.value.toLocaleLowerCase().split(/\s+/).filter(Boolean)
    const text = (j: Job) => `${j.name} ${j.model} ${titles.get(j.model)?.title ?? ''} ${j.owner ?? ''}`.toLocaleLowerCase()
    const done = newest_first().filter((j) => !waiting(j))
    const found = done.filter((j) => words.every((w) => text(j).includes(w)))
    fill(history, history_table(found, titles, done.length > 0, act))
  }
  const show = () => {
    show_queue()
    show_history()
  }
  const hear = (change: Job) => {
    const before = jobs.get(change.id)
    if (!before) return void reload().catch(() => {}) // of someone else who shares it, or from another window
    const job = { ...before, ...change }
    jobs.set(job.id, job)
    show_queue()
    if (job.state === before.state) return
    show_history()
    if (job.state === 'done') said.textContent = t('now_done', { name: job.name })
    if (job.state === 'failed') said.textContent = t('now_failed', { name: job.name })
  }
  const may_start = user.role !== 'viewer'
  place.append(
    h(
      'div',
      { class: 'columns' },
      may_start && new_case(models, (job) => (jobs.set(job.id, job), show())),
      h(
        'div',
        {},
        h('section', { class: 'card', 'aria-labelledby': 'queue' }, h('h2', { id: 'queue' }, t('queue')), queue, said),
        h('section', { class: 'card', 'aria-labelledby': 'history' }, h('h2', { id: 'history' }, t('history')), search, history),
      ),
    ),
  )
  show()
  return follow_jobs(hear, () => void reload().catch(() => {}))
}
