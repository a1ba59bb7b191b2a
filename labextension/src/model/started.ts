/**
 * Which run was last started from which notebook, in this browser tab.
 */
import { ISignal, Signal } from '@lumino/signaling';

export class StartedRuns {
  /** Emitted with the notebook's path. */
  get changed(): ISignal<this, string> {
    return this._changed;
  }

  /** Id of the run, or null. */
  of(path: string): string | null {
    return this._runs.get(path) ?? null;
  }

  /** Path of the notebook that a run was started from, or null. */
  notebookOf(run: string): string | null {
    return [...this._runs].find(([, id]) => id === run)?.[0] ?? null;
  }

  put(path: string, run: string): void {
    this._runs.set(path, run);
    this._changed.emit(path);
  }

  private readonly _runs = new Map<string, string>();
  private readonly _changed = new Signal<this, string>(this);
}
