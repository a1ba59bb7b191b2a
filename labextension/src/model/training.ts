/**
 * The training jobs of the context in use, as the topic `training` tells them. Has no DOM.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { IFeed } from '../api/feed';
import type { IHealth, ITopicMessage } from '../api/types';
import type { IJob } from '../api/trainingtypes';
import type { IContextInUse } from './context';

const STARTING: IHealth = { health: 'starting', message: '', hint: '' };
const ACTIVE: readonly string[] = ['PENDING', 'RUNNING', 'RESTARTING'];

export class TrainingModel {
  constructor(
    private readonly feed: IFeed,
    context: IContextInUse
  ) {
    // Another context has others; its snapshot follows.
    context.moved.connect(() => this._take(new Map(), STARTING, false));
  }

  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Newest first. */
  get jobs(): readonly IJob[] {
    return this._sorted;
  }

  /** How many jobs may still change by themselves. */
  get active(): number {
    return this._sorted.filter(job => ACTIVE.includes(job.state)).length;
  }

  get health(): IHealth {
    return this._health;
  }

  /** Whether the jobs have been told. */
  get ready(): boolean {
    return this._ready;
  }

  find(uid: string): IJob | null {
    return this._jobs.get(uid) ?? null;
  }

  /** Follow the jobs until disposed of; they are followed once, however many look. */
  watch(): IDisposable {
    if (this._viewers++ === 0) {
      this._subscription = this.feed.subscribe<IJob>({ topic: 'training' }, message => this._hear(message));
    }
    let watches = true;
    return {
      get isDisposed() {
        return !watches;
      },
      dispose: () => {
        if (watches && --this._viewers === 0) {
          this._subscription?.dispose();
          this._subscription = null;
        }
        watches = false;
      }
    };
  }

  private _hear(message: ITopicMessage<IJob>): void {
    if ('error' in message) {
      this._take(this._jobs, { health: 'error', message: message.error, hint: message.hint }, this._ready);
      return;
    }
    const { health, message: why, hint, snapshot, rows, gone = [] } = message;
    const jobs = new Map(snapshot ? [] : this._jobs);
    for (const [uid, job] of Object.entries(rows ?? {})) {
      jobs.set(uid, job);
    }
    gone.forEach(uid => jobs.delete(uid));
    this._take(jobs, { health, message: why, hint }, this._ready || rows !== undefined);
  }

  private _take(jobs: Map<string, IJob>, health: IHealth, ready: boolean): void {
    this._jobs = jobs;
    this._sorted = [...jobs.values()].sort((a, b) => (b.created_at ?? '').localeCompare(a.created_at ?? ''));
    this._health = health;
    this._ready = ready;
    this._changed.emit();
  }

  private _jobs = new Map<string, IJob>();
  private _sorted: readonly IJob[] = [];
  private _health: IHealth = STARTING;
  private _ready = false;
  private _viewers = 0;
  private _subscription: IDisposable | null = null;
  private readonly _changed = new Signal<this, void>(this);
}
