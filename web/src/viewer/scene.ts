// The scan with its mask in NiiVue: what the panels ask for, in the terms of a reading room.
import { DRAG_MODE, MULTIPLANAR_TYPE, NVImage, Niivue, SHOW_RENDER, SLICE_TYPE } from '@niivue/niivue'
import { type Organ, count_labels } from './organs'

export type Layout = 'all' | 'axial' | 'coronal' | 'sagittal' | '3d'
export type Window = 'soft' | 'lung' | 'bone' | 'brain' | 'full'

// Centre and width in HU, as radiology has them.
const kWindows: Record<Exclude<Window, 'full'>, [number, number]> = { soft: [40, 400], lung: [-600, 1500], bone: [400, 1800], brain: [40, 80] }
const kLayouts: Record<Layout, SLICE_TYPE> = {
  all: SLICE_TYPE.MULTIPLANAR,
  axial: SLICE_TYPE.AXIAL,
  coronal: SLICE_TYPE.CORONAL,
  sagittal: SLICE_TYPE.SAGITTAL,
  '3d': SLICE_TYPE.RENDER,
}
const kMask = 1

export class Scene {
  private readonly nv: Niivue
  private opacity = 0.5
  private layout: Layout = 'all'
  private editing = false
  /** Called when the crosshair moved. */
  on_move: () => void = () => {}
  /** Called when a stroke was drawn or taken back. */
  on_draw: () => void = () => {}

  constructor() {
    this.nv = new Niivue({
      backColor: [0, 0, 0, 1],
      crosshairColor: [0.3, 0.8, 0.77, 0.6],
      crosshairWidth: 1.2,
      crosshairWidthUnit: 'mm',
      dragAndDropEnabled: false,
      isColorbar: false,
      isRadiologicalConvention: true,
      multiplanarShowRender: SHOW_RENDER.ALWAYS,
      multiplanarLayout: MULTIPLANAR_TYPE.GRID,
      isNearestInterpolation: false,
      dragMode: DRAG_MODE.windowing,
      penSize: 3,
      isFilledPen: false,
      loadingText: '',
      logLevel: 'error',
      maxDrawUndoBitmaps: 16,
    })
    this.nv.onLocationChange = () => this.on_move()
    this.nv.onDrawingChanged = () => this.on_draw()
  }

  /** `scan` and `mask` are NIfTI files, not compressed. */
  async show(canvas: HTMLCanvasElement, scan: ArrayBuffer, mask: ArrayBuffer): Promise<void> {
    await this.nv.attachToCanvas(canvas)
    this.nv.addVolume(await NVImage.loadFromUrl({ url: 'scan.nii', name: 'scan.nii', buffer: scan }))
    await this.set_mask(mask)
    this.set_window('soft')
    this.set_layout('all')
  }

  async set_mask(mask: ArrayBuffer): Promise<void> {
    const overlay = await NVImage.loadFromUrl({ url: 'mask.nii', name: 'mask.nii', buffer: mask, opacity: this.opacity })
    if (this.nv.volumes.length > kMask) this.nv.removeVolume(this.nv.volumes[kMask])
    this.nv.addVolume(overlay)
  }

  /** Voxels of each label; undefined for masks with other values than labels. */
  counts(): Map<number, number> | undefined {
    return count_labels(this.editing ? (this.nv.drawBitmap ?? []) : (this.nv.volumes[kMask].img ?? []))
  }

  voxel_ml(): number {
    const size = this.nv.volumes[kMask].hdr?.pixDims ?? []
    return Math.abs(size[1] * size[2] * size[3]) / 1000
  }

  set_organs(organs: Organ[]): void {
    const table = {
      R: [0, ...organs.map((o) => o.colour[0])],
      G: [0, ...organs.map((o) => o.colour[1])],
      B: [0, ...organs.map((o) => o.colour[2])],
      A: [0, ...organs.map((o) => (o.shown ? 255 : 0))],
      I: [0, ...organs.map((o) => o.label)],
      labels: ['', ...organs.map((o) => o.name)],
    }
    this.nv.volumes[kMask].setColormapLabel(table)
    // NiiVue takes a table here as well as the name of one; its types only know the name.
    this.nv.setDrawColormap(table as unknown as string)
  }

  set_opacity(opacity: number): void {
    this.opacity = opacity
    this.nv.setOpacity(kMask, this.editing ? 0 : opacity)
    this.nv.setDrawOpacity(opacity)
  }

  set_window(window: Window): void {
    const scan = this.nv.volumes[0]
    const [centre, width] = window === 'full' ? [((scan.global_min ?? 0) + (scan.global_max ?? 1)) / 2, (scan.global_max ?? 1) - (scan.global_min ?? 0)] : kWindows[window]
    scan.cal_min = centre - width / 2
    scan.cal_max = centre + width / 2
    this.nv.updateGLVolume()
  }

  set_layout(layout: Layout): void {
    this.layout = layout
    this.nv.setSliceType(kLayouts[layout])
  }

  set_measuring(on: boolean): void {
    this.nv.opts.dragModePrimary = on ? DRAG_MODE.measurement : DRAG_MODE.crosshair
  }

  clear_measurements(): void {
    this.nv.clearAllMeasurements()
  }

  /** The crosshair, 0 to 1 from left to right, back to front, feet to head. */
  position(): [number, number, number] {
    const [x, y, z] = this.nv.scene.crosshairPos
    return [x, y, z]
  }

  slices(): [number, number, number] {
    const dims = this.nv.volumes[0].dimsRAS ?? [3, 1, 1, 1]
    return [dims[1], dims[2], dims[3]]
  }

  move(axis: 0 | 1 | 2, fraction: number): void {
    this.nv.scene.crosshairPos[axis] = fraction
    this.nv.drawScene()
  }

  /** Goes to the middle of a label's voxels that lie in its largest axial slice. */
  find(label: number): void {
    const mask = this.nv.volumes[kMask]
    const [nx, ny, nz] = this.slices()
    const voxels = this.editing ? this.nv.drawBitmap : mask.img2RAS()
    if (!voxels) return
    let best = 0
    let at: [number, number, number] | undefined
    for (let z = 0; z < nz; z++) {
      let count = 0
      let sum_x = 0
      let sum_y = 0
      for (let y = 0, i = z * nx * ny; y < ny; y++)
        for (let x = 0; x < nx; x++, i++)
          if (voxels[i] === label) {
            count++
            sum_x += x
            sum_y += y
          }
      if (count > best) {
        best = count
        at = [(sum_x / count + 0.5) / nx, (sum_y / count + 0.5) / ny, (z + 0.5) / nz]
      }
    }
    if (!at) return
    this.nv.scene.crosshairPos = at
    this.nv.drawScene()
    this.on_move()
  }

  /** Whether the mask can be drawn in: labels up to 255 on the scan's own grid. */
  editable(): boolean {
    const scan = this.nv.volumes[0].hdr?.dims ?? []
    const mask = this.nv.volumes[kMask].hdr?.dims ?? []
    return this.counts() !== undefined && [1, 2, 3].every((d) => scan[d] === mask[d]) && (mask[4] ?? 1) <= 1
  }

  start_editing(): boolean {
    if (!this.editable() || !this.nv.loadDrawing(this.nv.volumes[kMask])) return false
    this.editing = true
    this.nv.setDrawingEnabled(true)
    this.set_opacity(this.opacity)
    // What is drawn is to be seen as large as possible.
    if (this.layout === 'all') this.set_layout('axial')
    return true
  }

  set_pen(label: number, size: number): void {
    this.nv.opts.penSize = size
    // NiiVue erases with 0.
    this.nv.setPenValue(label, false)
  }

  undo(): void {
    this.nv.drawUndo()
    this.on_draw()
  }

  /** The drawn mask as an uncompressed NIfTI file on the scan's grid. */
  async drawn(): Promise<ArrayBuffer> {
    const file = await this.nv.saveImage({ filename: '', isSaveDrawing: true, volumeByIndex: 0 })
    if (!(file instanceof Uint8Array)) throw new Error('the drawing could not be written')
    return file.slice().buffer
  }

  stop_editing(): void {
    this.editing = false
    this.nv.setDrawingEnabled(false)
    this.nv.closeDrawing()
    this.set_opacity(this.opacity)
    this.set_layout('all')
  }

  close(): void {
    this.nv.cleanup()
    this.nv.gl?.getExtension('WEBGL_lose_context')?.loseContext()
  }
}
