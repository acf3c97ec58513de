// Elements made in one line. Text always goes in as text: nothing that a file or a server says is ever read as HTML.

type Child = Node | string | null | undefined | false
type Attributes = Record<string, string | number | boolean | EventListener | null | undefined>

export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue
    if (typeof value === 'function') element.addEventListener(name.replace(/^on/, ''), value)
    else if (name === 'value') (element as HTMLInputElement).value = String(value)
    else element.setAttribute(name, value === true ? '' : String(value))
  }
  fill(element, ...children)
  return element
}

/** Replaces what an element holds. */
export function fill(element: Element, ...children: Child[]): void {
  element.replaceChildren(...children.filter((c): c is Node | string => c !== null && c !== undefined && c !== false && c !== ''))
}

/** A line that screen readers say when it changes. */
export function status(kind: 'status' | 'alert' = 'status'): HTMLElement {
  return h('p', { class: kind === 'alert' ? 'alert' : 'note', role: kind, 'aria-live': kind === 'alert' ? 'assertive' : 'polite' })
}

/** A label with its field; clicking the label reaches the field. */
export function labelled(text: string, field: HTMLElement): HTMLElement {
  return h('label', { class: 'field' }, h('span', {}, text), field)
}
