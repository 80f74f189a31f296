/** What the routes need of the room that edits connections. */
import type { AuditQuery } from '../../model/audit.ts'
import type { DialResult } from '../../model/check-result.ts'
import type { Editor } from '../../model/editor.ts'

/** The settings of a connection, without secrets. The routes only read the id. */
export interface ManagedSettings {
  readonly id: string
}

/** Bodies arrive here as the client sent them; all their faults come back together, as StatusError `validation`. */
export interface ManagementPort {
  settings(editor: Editor, id: string): Promise<ManagedSettings>
  create(editor: Editor, body: unknown): Promise<ManagedSettings>
  change(editor: Editor, id: string, body: unknown): Promise<ManagedSettings>
  remove(editor: Editor, id: string): Promise<void>
  /** Dials once, stores nothing. */
  test(editor: Editor, body: unknown): Promise<DialResult>
  /** The newest entries first. */
  audit(query: AuditQuery): Promise<readonly { readonly id: number }[]>
}
