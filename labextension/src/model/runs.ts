/**
 * The runs of the context in use, as the server last told. Has no DOM.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { FairleadClient } from '../api/client';
import type { IFairleadEvents } from '../api/events';
import type { IContext, IRunChange, IRunSummary } from '../api/types';
import { coalesced } from './coalesce';
import { LoadState, loadStateOf } from './load';

const ACTIVE: readonly string[] = ['PENDING', 'RUNNING', 'CANCELING'];

export class RunsModel implements IDisposable {
  constructor(
    private readonly client: Pick<FairleadClient, 'context' | 'runs'>,
    private readonly events: IFairleadEvents
  ) {}

  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Emitted when a run that was active has ended, with its new summary. */
  get ended(): ISignal<this, IRunSummary> {
    return this._ended;
  }

  /** Newest first. */
  get runs(): readonly IRunSummary[] {
    return this._runs;
  }

  /** Null until the server has told. */
  get context(): IContext | null {
    return this._context;
  }

  get load(): LoadState {
    return this._load;
  }

  /** How many runs may still change by themselves. */
  get active(): number {
    return this._runs.filter(run => ACTIVE.includes(run.state)).length;
  }

  find(id: string): IRunSummary | null {
    return this._runs.find(run => run.id === id) ?? null;
  }

  /** Begin to read and to listen; called by every viewer, does its work once. */
  start(): void {
    if (this._load.kind !== 'idle') {
      return;
    }
    this._load = { kind: 'loading' };
    this.events.runChanged.connect(this._onRun, this);
    this.events.contextChanged.connect(this._onContext, this);
    this.events.opened.connect(this._onOpened, this);
    this.events.start();
    void this.refresh();
  }

  /** Read everything again. Errors become the model's `load`. */
  readonly refresh = coalesced(async () => {
    try {
      // One after the other: the first question makes the server watch, and no change is lost between.
      this._context = await this.client.context();
      this._changed.emit();
      this._take(await this.client.runs());
      this._load = { kind: 'ready' };
    } catch (error) {
      this._load = loadStateOf(error);
    }
    this._changed.emit();
  });

  /** Take a summary that an action answered, without waiting for its event. */
  put(run: IRunSummary): void {
    const known = this._runs.some(one => one.id === run.id);
    this._take(known ? this._runs.map(one => (one.id === run.id ? run : one)) : [run, ...this._runs]);
    this._changed.emit();
  }

  /** Forget a run that was deleted. */
  drop(id: string): void {
    this._take(this._runs.filter(run => run.id !== id));
    this._changed.emit();
  }

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _onOpened(): void {
    void this.refresh();
  }

  private _onContext(_: unknown, context: IContext): void {
    const recovered = context.health === 'ok' && this._context?.health !== 'ok';
    this._context = context;
    this._changed.emit();
    if (recovered) {
      void this.refresh();
    }
  }

  /** Progress is in the event itself; only a new run or another state needs to be read. */
  private _onRun(_: unknown, change: IRunChange): void {
    if (change.deleted) {
      this.drop(change.run_id);
      return;
    }
    const known = this.find(change.run_id);
    if (!known || known.state !== change.state) {
      void this.refresh();
    } else if (known.done !== change.done || known.total !== change.total) {
      this.put({ ...known, done: change.done, total: change.total });
    }
  }

  private _take(runs: readonly IRunSummary[]): void {
    const before = this._runs;
    this._runs = runs;
    for (const run of runs) {
      const was = before.find(one => one.id === run.id);
      if (was && ACTIVE.includes(was.state) && !ACTIVE.includes(run.state)) {
        this._ended.emit(run);
      }
    }
  }

  private _runs: readonly IRunSummary[] = [];
  private _context: IContext | null = null;
  private _load: LoadState = { kind: 'idle' };
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
  private readonly _ended = new Signal<this, IRunSummary>(this);
}
