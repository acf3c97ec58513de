// The server's REST API. A failure is an ApiError with what the server said of it.
import type { AuditEntry, Job, Model, Role, User } from './types'

export const kApi = '/api/v1'

export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message)
  }
}

let csrf = ''
let on_logged_out = () => {}

/** Called when the server no longer knows the session. */
export function when_logged_out(what: () => void): void {
  on_logged_out = what
}

/** Sends one request. `status` 0 in the error: the server could not be reached. */
export async function request(method: string, path: string, body?: BodyInit | object, signal?: AbortSignal): Promise<Response> {
  const headers: Record<string, string> = {}
  if (method !== 'GET') headers['X-CSRF-Token'] = csrf
  let payload: BodyInit | undefined
  if (body instanceof Blob || body instanceof Uint8Array) {
    payload = body as BodyInit
    headers['Content-Type'] = 'application/octet-stream'
  } else if (body !== undefined) {
    payload = JSON.stringify(body)
    headers['Content-Type'] = 'application/json'
  }
  let response: Response
  try {
    response = await fetch(kApi + path, { method, headers, body: payload, signal, credentials: 'same-origin' })
  } catch (failure) {
    if (signal?.aborted) throw failure
    throw new ApiError(0, '')
  }
  if (response.ok) return response
  if (response.status === 401 && path !== '/login' && path !== '/me') on_logged_out()
  throw new ApiError(response.status, await words_of(response))
}

async function words_of(response: Response): Promise<string> {
  try {
    const said = await response.json()
    return [said.error, said.detail].filter((s) => typeof s === 'string' && s).join(': ')
  } catch {
    return response.statusText
  }
}

async function json(method: string, path: string, body?: object) {
  const response = await request(method, path, body)
  const text = await response.text()
  return text ? JSON.parse(text) : {}
}

function session_of(said: { csrf?: string; user: User | string } & Partial<User>): User {
  if (said.csrf) csrf = said.csrf
  return typeof said.user === 'object' ? said.user : ({ ...said, name: said.name ?? said.user } as User)
}

export const api = {
  login: async (user: string, password: string) => session_of(await json('POST', '/login', { user, password })),
  me: async () => session_of(await json('GET', '/me')),
  logout: () => json('POST', '/logout', {}),
  change_password: (old: string, wanted: string) => json('POST', '/me/password', { old, new: wanted }),
  models: async (): Promise<Model[]> => (await json('GET', '/models')).models,
  jobs: async (): Promise<Job[]> => (await json('GET', '/jobs')).jobs,
  job: (id: string): Promise<Job> => json('GET', `/jobs/${id}`),
  start: (upload: string, model: string): Promise<Job> => json('POST', '/jobs', { upload, model }),
  cancel: (id: string) => json('POST', `/jobs/${id}/cancel`, {}),
  retry: (id: string) => json('POST', `/jobs/${id}/retry`, {}),
  remove: (id: string) => json('DELETE', `/jobs/${id}`),
  correct: (id: string, mask: Uint8Array) => request('PUT', `/jobs/${id}/correction`, mask),
  users: async (): Promise<User[]> => (await json('GET', '/users')).users,
  add_user: (name: string, role: Role): Promise<{ name: string; one_time_password: string }> => json('POST', '/users', { name, role }),
  change_user: (id: number, what: { role?: Role; disabled?: boolean; new_password?: boolean }): Promise<{ one_time_password?: string }> => json('PATCH', `/users/${id}`, what),
  audit: async (): Promise<AuditEntry[]> => (await json('GET', '/audit')).entries,
  start_upload: (name: string, files: { path: string; size: number }[]): Promise<{ id: string }> => json('POST', '/uploads', { name, files }),
  upload_state: (id: string): Promise<{ files: { there: number }[] }> => json('GET', `/uploads/${id}`),
  complete_upload: (id: string) => json('POST', `/uploads/${id}/complete`, {}),
  drop_upload: (id: string) => json('DELETE', `/uploads/${id}`),
}
