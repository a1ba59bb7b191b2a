/**
 * Which run was last started from which notebook in this workspace.
 */
import { ISignal, Signal } from '@lumino/signaling';

/** Older ones are forgotten. */
const MOST = 50;

export class StartedRuns {
  /** Emitted with the notebook's path. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** Paths and run ids, oldest first. */
  get entries(): [path: string, run: string][] {
    return [...this._runs];
  }

  /** Id of the run, or null. */
  of(path: string): string | null {
    return this._runs.get(path) ?? null;
  }

  /** Path of the notebook that a run was started from, or null. */
  notebookOf(run: string): string | null {
    return this.entries.find(([, id]) => id === run)?.[0] ?? null;
  }

  put(path: string, run: string): void {
    this._runs.delete(path);
    this._runs.set(path, run);
    for (const [oldest] of this.entries.slice(0, -MOST)) {
      this._runs.delete(oldest);
    }
    this._changed.emit(path);
  }

  /** Take what was stored before; what was started meanwhile is newer and stays. */
  restore(stored: unknown): void {
    for (const entry of Array.isArray(stored) ? stored : []) {
      const [path, run] = Array.isArray(entry) ? (entry as unknown[]) : [];
      if (typeof path === 'string' && typeof run === 'string' && !this._runs.has(path)) {
        this.put(path, run);
      }
    }
  }

  private readonly _runs = new Map<string, string>();
  private readonly _changed = new Signal<this, string>(this);
}
