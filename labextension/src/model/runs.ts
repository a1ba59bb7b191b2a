/**
 * The runs of the context in use, as the server last told. Has no DOM.
 */
import { ISignal, Signal } from '@lumino/signaling';

import type { FairleadClient } from '../api/client';
import type { IHealth, IRunChange, IRunSummary } from '../api/types';
import type { IContextInUse } from './context';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

const STARTING: IHealth = { health: 'starting', message: '', hint: '' };
const ACTIVE: readonly string[] = ['PENDING', 'RUNNING', 'CANCELING'];

export class RunsModel extends Loaded {
  constructor(
    private readonly client: Pick<FairleadClient, 'runs'>,
    private readonly feed: IRunFeed,
    private readonly context: IContextInUse
  ) {
    super();
  }

  /** Emitted when a run that was active has ended, with its new summary. */
  get ended(): ISignal<this, IRunSummary> {
    return this._ended;
  }

  /** Newest first. */
  get runs(): readonly IRunSummary[] {
    return this._runs;
  }

  /** How it is with the watch behind the list; what is shown stays while it is away. */
  get health(): IHealth {
    return this._health;
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
    if (this._isStarted) {
      return;
    }
    this._isStarted = true;
    this.feed.runChanged.connect(this._onRun, this);
    this.feed.healthChanged.connect(this._onHealth, this);
    this.feed.opened.connect(this._onOpened, this);
    this.context.moved.connect(this._onMoved, this);
    this.context.start();
    this.feed.start();
    void this.refresh();
  }

  /** Take a summary that an action answered, without waiting for its event. */
  put(run: IRunSummary): void {
    const known = this._runs.some(one => one.id === run.id);
    this._take(known ? this._runs.map(one => (one.id === run.id ? run : one)) : [run, ...this._runs]);
    this.tell();
  }

  /** Forget a run that was deleted. */
  drop(id: string): void {
    this._take(this._runs.filter(run => run.id !== id));
    this.tell();
  }

  protected async read(): Promise<() => void> {
    const runs = await this.client.runs();
    return () => this._take(runs);
  }

  /** An answer about a context that was left is not ours. */
  protected override get wanted(): number {
    return this._place;
  }

  private _onOpened(): void {
    void this.refresh();
  }

  private _onHealth(_: unknown, health: IHealth): void {
    const recovered = health.health === 'ok' && this._health.health !== 'ok';
    this._health = health;
    this.tell();
    if (recovered) {
      void this.refresh();
    }
  }

  /** Another context has other runs; an answer about the old one that is still under way is not ours. */
  private _onMoved(): void {
    this._place += 1;
    this._runs = [];
    this._health = STARTING;
    this.tell({ kind: 'loading' });
    void this.refresh();
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
  private _health: IHealth = STARTING;
  private _place = 0;
  private _isStarted = false;
  private readonly _ended = new Signal<this, IRunSummary>(this);
}
