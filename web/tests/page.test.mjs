// The built page, in Debian's Chromium, against the real `vesal serve`: first login, a scan uploaded and segmented, the mask over it, the other
// language, the download. VESAL names the program (build/release/vesal otherwise); SCREENSHOTS a folder for pictures of each page.
import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'node:test'
import { chromium } from 'playwright-core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const program = process.env.VESAL ?? join(root, 'build/release/vesal')
const browser = '/usr/bin/chromium'
const scan = join(root, '../shared/data/ct_3mm/ct.nii.gz')
const missing = [program, browser, scan, join(root, 'web/dist/index.html')].filter((file) => !existsSync(file))
const password = 'a long enough password 7'

/** A server on a free port, with what its first line says. */
async function serve(folder) {
  const child = spawn(program, ['serve', '--json', '--port', '0', '--data', folder, '--web', join(root, 'web/dist'), '--models', join(root, 'bundles')])
  let said = ''
  const first = await new Promise((resolve, reject) => {
    child.on('exit', (code) => reject(new Error(`vesal serve ended with ${code}`)))
    child.stdout.on('data', (bytes) => {
      said += bytes
      if (said.includes('\n')) resolve(JSON.parse(said.split('\n')[0]))
    })
  })
  return { child, ...first }
}

const picture = async (page, name) => {
  if (process.env.SCREENSHOTS) await page.screenshot({ path: join(process.env.SCREENSHOTS, `${name}.png`) })
}

test('a doctor segments a scan', { skip: missing.length ? `not here: ${missing.join(', ')}` : false, timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'vesal-page-'))
  const server = await serve(join(folder, 'data'))
  const chrome = await chromium.launch({
    executablePath: browser,
    args: ['--no-sandbox', '--use-gl=angle', '--use-angle=swiftshader', '--enable-unsafe-swiftshader', '--ignore-gpu-blocklist'],
  })
  try {
    const page = await chrome.newPage({ viewport: { width: 1366, height: 768 } })
    const errors = []
    page.on('pageerror', (error) => errors.push(error.message))
    await page.goto(server.address)
    await page.locator('form input').nth(0).fill(server.user)
    await page.locator('form input').nth(1).fill(server.one_time_password)
    await picture(page, 'login')
    await page.locator('form button').first().click()

    // The one-time password has to be changed.
    await page.getByText('Choose your own password').waitFor()
    await page.locator('input[type=password]').nth(0).fill(server.one_time_password)
    await page.locator('input[type=password]').nth(1).fill(password)
    await page.locator('input[type=password]').nth(2).fill(password)
    await page.locator('form button').first().click()

    await page.getByText('Drop a CT here').waitFor()
    await page.locator('input[type=file]').first().setInputFiles(scan)
    await page.getByRole('button', { name: 'Segment' }).click()
    const open = page.getByRole('link', { name: 'Open: ct.nii.gz' })
    await open.waitFor({ timeout: 60_000 })
    await picture(page, 'scans')
    await open.click()

    // The mask changes the picture.
    const canvas = page.locator('canvas').first()
    await page.getByRole('checkbox', { name: 'spleen' }).waitFor({ timeout: 60_000 })
    await page.waitForTimeout(5000)
    const shown = await canvas.screenshot()
    await picture(page, 'viewer')
    await page.getByRole('checkbox', { name: 'spleen' }).uncheck()
    await page.waitForTimeout(1000)
    const hidden = await canvas.screenshot()
    assert.notDeepEqual(hidden, shown, 'without the organ the picture is another')
    await page.getByRole('checkbox', { name: 'spleen' }).check()

    await page.getByRole('button', { name: 'Tiếng Việt' }).click()
    await page.getByText('Cơ quan').first().waitFor()
    await picture(page, 'viewer-vi')
    await page.getByRole('button', { name: 'English' }).click()

    // What is downloaded is what the command line writes.
    const downloading = page.waitForEvent('download')
    await page.getByText('Mask (NIfTI)').click()
    await (await downloading).saveAs(join(folder, 'page.nii.gz'))
    const run = spawnSync(program, ['segment', scan, '-o', join(folder, 'command.nii.gz'), '-q'])
    assert.equal(run.status, 0, String(run.stderr))
    assert.deepEqual(readFileSync(join(folder, 'page.nii.gz')), readFileSync(join(folder, 'command.nii.gz')))

    // A stroke of the brush is kept as a correction, and the audit log knows of it.
    await page.locator('#edit').click()
    await page.waitForTimeout(800)
    const box = await canvas.boundingBox()
    await page.mouse.move(box.x + box.width * 0.45, box.y + box.height * 0.4)
    await page.mouse.down()
    await page.mouse.move(box.x + box.width * 0.6, box.y + box.height * 0.5, { steps: 6 })
    await page.mouse.up()
    await page.locator('#save').click()
    await page.getByText('The correction is saved.').waitFor()
    await page.goto(`${server.address}#/admin/audit`)
    await page.getByText('PUT /api/v1/jobs/{id}/correction').waitFor()
    assert.deepEqual(errors, [])
  } finally {
    await chrome.close()
    server.child.removeAllListeners('exit')
    server.child.kill('SIGTERM')
    rmSync(folder, { recursive: true, force: true })
  }
})
