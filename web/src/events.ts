// Server-sent events of jobs. The browser connects again by itself after a break; the whole list is then asked for, so that nothing is missed.
import { kApi } from './api'
import type { Job } from './types'

export function follow_jobs(on_job: (job: Job) => void, on_connect: () => void): () => void {
  const source = new EventSource(`${kApi}/events`)
  const hear = (event: Event) => {
    const job = JSON.parse((event as MessageEvent<string>).data)
    if (job && typeof job.id === 'string') on_job(job as Job)
  }
  source.addEventListener('open', on_connect)
  source.addEventListener('job', hear)
  source.addEventListener('message', hear)
  return () => source.close()
}
