// Results as files. They are fetched by the page, so that one that cannot be made says why instead of saving an error as a file.
import { request } from '../api'
import { h } from '../dom'
import { type Word, t } from '../i18n'
import { why } from '../main'
import type { Job } from '../types'

interface Download {
  word: Word
  path: string
  ending: string
}

const kDownloads: Download[] = [
  { word: 'download_mask', path: 'mask.nii.gz', ending: '.nii.gz' },
  { word: 'download_seg', path: 'results/seg', ending: '.dcm' },
  { word: 'download_glb', path: 'results/glb', ending: '.glb' },
  { word: 'download_pdf', path: 'results/report', ending: '.pdf' },
]

export function download_panel(job: Job, said: HTMLElement): HTMLElement {
  const stem = job.name.replace(/\.(nii\.gz|nii|zip|nrrd|mha)$/i, '')
  const button = (d: Download) => {
    const get = async () => {
      const what = t(d.word)
      said.textContent = t('preparing', { what })
      try {
        const blob = await (await request('GET', `/jobs/${encodeURIComponent(job.id)}/${d.path}`)).blob()
        const link = h('a', { href: URL.createObjectURL(blob), download: `${stem}_${d.path.replace(/^results\//, '').replace(/\..*/, '')}${d.ending}` })
        link.click()
        setTimeout(() => URL.revokeObjectURL(link.href), 60_000)
        said.textContent = t('downloaded', { what })
      } catch (failure) {
        said.textContent = why(failure)
      }
    }
    return h('button', { 'data-download': d.path, onclick: () => void get() }, t(d.word))
  }
  const corrected: Download[] = job.corrected ? [{ word: 'download_correction', path: 'correction', ending: '.nii.gz' }] : []
  return h('section', { class: 'card', 'aria-labelledby': 'downloads' }, h('h2', { id: 'downloads' }, t('downloads')), h('div', { class: 'row' }, ...[...kDownloads, ...corrected].map(button)))
}
