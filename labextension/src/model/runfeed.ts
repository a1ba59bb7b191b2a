/**
 * Changes of runs, from the topic `runs`. Has no DOM.
 */
import type { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { IFeed } from '../api/feed';
import type { IHealth, IRunChange, IRunRow, ITopicMessage } from '../api/types';

/** What models of runs listen to. */
export interface IRunFeed {
  /** Begin to listen; only the first call does something. */
  start(): void;
  readonly runChanged: ISignal<unknown, IRunChange>;
  /** The topic begins, first or again: what happened before is not told, so read everything once. */
  readonly opened: ISignal<unknown, void>;
  /** How it is with the runs' watch. */
  readonly healthChanged: ISignal<unknown, IHealth>;
}

export class RunFeed implements IRunFeed, IDisposable {
  constructor(private readonly feed: IFeed) {}

  start(): void {
    this._subscription ??= this.feed.subscribe<IRunRow>({ topic: 'runs' }, message => this._take(message));
  }

  get runChanged(): ISignal<this, IRunChange> {
    return this._runChanged;
  }

  get opened(): ISignal<this, void> {
    return this._opened;
  }

  get healthChanged(): ISignal<this, IHealth> {
    return this._healthChanged;
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this._subscription?.dispose();
    Signal.clearData(this);
  }

  private _take(message: ITopicMessage<IRunRow>): void {
    if ('error' in message) {
      this._healthChanged.emit({ health: 'error', message: message.error, hint: message.hint });
      return;
    }
    const { health, message: why, hint, rows = {}, gone = [], snapshot } = message;
    this._healthChanged.emit({ health, message: why, hint });
    if (snapshot) {
      this._rows = new Map(Object.entries(rows));
      this._opened.emit();
      return;
    }
    for (const [key, row] of Object.entries(rows)) {
      this._rows.set(key, row);
      this._tell(row, false);
    }
    for (const key of gone) {
      const row = this._rows.get(key);
      this._rows.delete(key);
      if (row) {
        this._tell(row, true);
      }
    }
  }

  private _tell({ run_id, namespace, state, done, total }: IRunRow, deleted: boolean): void {
    this._runChanged.emit({ run_id, namespace, state, done, total, deleted });
  }

  private _subscription: IDisposable | null = null;
  private _rows = new Map<string, IRunRow>();
  private _isDisposed = false;
  private readonly _runChanged = new Signal<this, IRunChange>(this);
  private readonly _opened = new Signal<this, void>(this);
  private readonly _healthChanged = new Signal<this, IHealth>(this);
}
