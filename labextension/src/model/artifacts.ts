/**
 * Artifacts: the list that is asked for, and one of them with its lineage. Has no DOM.
 */
import { IDisposable } from '@lumino/disposable';
import { ISignal, Signal } from '@lumino/signaling';

import type { IArtifactDetail, IArtifactFilter, IArtifactRow } from '../api/artifacttypes';
import type { FairleadClient } from '../api/client';
import type { IRunChange } from '../api/types';
import { coalesced } from './coalesce';
import type { IContextInUse } from './context';
import { LoadState, loadStateOf } from './load';
import type { IRunFeed } from './runfeed';

export type IArtifactsClient = Pick<FairleadClient, 'artifacts' | 'artifact'>;

const NOTHING: IArtifactFilter = { run: '', name: '', type: '' };
const ENDED: readonly string[] = ['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED'];

/** Artifacts of the context in use, newest first, as far as they were asked for. */
export class ArtifactsModel implements IDisposable {
  constructor(
    private readonly client: IArtifactsClient,
    private readonly feed: IRunFeed,
    private readonly context: IContextInUse,
    filter: Partial<IArtifactFilter> = {}
  ) {
    this._filter = { ...NOTHING, ...filter };
    feed.runChanged.connect(this._onRun, this);
    context.moved.connect(this._onMoved, this);
    void this.refresh();
  }

  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  get artifacts(): readonly IArtifactRow[] {
    return this._artifacts;
  }

  /** How many there are that suit the filter. */
  get total(): number {
    return this._total;
  }

  /** Whether `more` would bring some. */
  get hasMore(): boolean {
    return this._token !== '';
  }

  /** In words why there is no list; empty where there is. */
  get reason(): string {
    return this._reason;
  }

  get load(): LoadState {
    return this._load;
  }

  get filter(): IArtifactFilter {
    return this._filter;
  }

  /** Show others. */
  choose(filter: Partial<IArtifactFilter>): void {
    this._filter = { ...this._filter, ...filter };
    this._changed.emit();
    void this.refresh();
  }

  /** Read the list from its beginning. Errors become the model's `load`. */
  readonly refresh = coalesced(async () => {
    await this._read('');
  });

  /** Read the next page. */
  readonly more = coalesced(async () => {
    if (this._token) {
      await this._read(this._token);
    }
  });

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    this.feed.runChanged.disconnect(this._onRun, this);
    this.context.moved.disconnect(this._onMoved, this);
    Signal.clearData(this);
  }

  private async _read(token: string): Promise<void> {
    const asked = this._filter;
    try {
      const page = await this.client.artifacts(asked, token);
      if (asked !== this._filter) {
        return; // Something else is asked for by now, and its answer is on its way.
      }
      this._artifacts = token ? [...this._artifacts, ...page.artifacts] : page.artifacts;
      this._total = page.total_size;
      this._token = page.next_page_token;
      this._reason = page.reason;
      this._load = { kind: 'ready' };
    } catch (error) {
      this._load = loadStateOf(error);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  }

  /** A run that has ended may have made some, one that was deleted took its own along. */
  private _onRun(_: unknown, change: IRunChange): void {
    const mine = !this._filter.run || this._filter.run === change.run_id;
    if (mine && (change.deleted || ENDED.includes(change.state))) {
      void this.refresh();
    }
  }

  private _onMoved(): void {
    this._artifacts = [];
    this._token = '';
    this._load = { kind: 'loading' };
    this._changed.emit();
    void this.refresh();
  }

  private _filter: IArtifactFilter;
  private _artifacts: readonly IArtifactRow[] = [];
  private _total = 0;
  private _token = '';
  private _reason = '';
  private _load: LoadState = { kind: 'loading' };
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}

/** One artifact with its lineage. */
export class ArtifactModel implements IDisposable {
  constructor(
    readonly id: string,
    private readonly client: IArtifactsClient
  ) {
    void this.refresh();
  }

  /** Emitted after every change of what the model tells. */
  get changed(): ISignal<this, void> {
    return this._changed;
  }

  /** Null until the server has told. */
  get artifact(): IArtifactDetail | null {
    return this._artifact;
  }

  get load(): LoadState {
    return this._load;
  }

  /** Read it again. Errors become the model's `load`. */
  readonly refresh = coalesced(async () => {
    try {
      this._artifact = await this.client.artifact(this.id);
      this._load = { kind: 'ready' };
    } catch (error) {
      this._load = loadStateOf(error);
    }
    if (!this._isDisposed) {
      this._changed.emit();
    }
  });

  get isDisposed(): boolean {
    return this._isDisposed;
  }

  dispose(): void {
    this._isDisposed = true;
    Signal.clearData(this);
  }

  private _artifact: IArtifactDetail | null = null;
  private _load: LoadState = { kind: 'loading' };
  private _isDisposed = false;
  private readonly _changed = new Signal<this, void>(this);
}
