// What the server's API sends, as far as the page reads it.

export type Role = 'viewer' | 'doctor' | 'engineer' | 'administrator'

export interface User {
  id: number
  name: string
  role: Role
  /** Has a one-time password. */
  must_change: boolean
  disabled?: boolean
  /** Of uploads. */
  bytes?: number
}

export interface Model {
  name: string
  title?: string
  version?: string
  task?: string
  description?: string
  license?: string
  intended_use?: string
  not_for_diagnosis?: boolean
  /** Names of the classes by the value that they have in a mask. */
  labels?: Record<string, string>
  dice?: number | null
}

export type JobState = 'queued' | 'running' | 'done' | 'failed' | 'cancelled'

export interface Job {
  id: string
  name: string
  model: string
  state: JobState
  /** 0 to 1. */
  progress: number
  seconds_left?: number | null
  stage?: string
  error?: string | null
  owner?: string
  mine?: boolean
  /** Milliseconds since 1970. */
  created: number
  corrected?: boolean
}

export interface AuditEntry {
  at: number
  user: string
  peer: string
  action: string
  object: string
  outcome: number
}
