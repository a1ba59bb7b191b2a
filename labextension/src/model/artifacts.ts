/**
 * Artifacts: the list that is asked for, and one of them with its lineage. Has no DOM.
 */
import type { IArtifactDetail, IArtifactFilter, IArtifactRow } from '../api/artifacttypes';
import type { FairleadClient } from '../api/client';
import type { IRunChange } from '../api/types';
import { coalesced } from './coalesce';
import type { IContextInUse } from './context';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

export type IArtifactsClient = Pick<FairleadClient, 'artifacts' | 'artifact'>;

const NOTHING: IArtifactFilter = { run: '', name: '', type: '' };
const ENDED: readonly string[] = ['SUCCEEDED', 'FAILED', 'CANCELED', 'SKIPPED'];

/** Artifacts of the context in use, newest first, as far as they were asked for. */
export class ArtifactsModel extends Loaded {
  constructor(
    private readonly client: IArtifactsClient,
    feed: IRunFeed,
    context: IContextInUse,
    filter: Partial<IArtifactFilter> = {}
  ) {
    super();
    this._filter = { ...NOTHING, ...filter };
    feed.runChanged.connect(this._onRun, this);
    context.moved.connect(this._onMoved, this);
    void this.refresh();
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

  get filter(): IArtifactFilter {
    return this._filter;
  }

  /** Show others. */
  choose(filter: Partial<IArtifactFilter>): void {
    this._filter = { ...this._filter, ...filter };
    this.tell();
    void this.refresh();
  }

  /** Read the next page. */
  readonly more = coalesced(async () => {
    if (this._token) {
      await this.take(() => this._readFrom(this._token));
    }
  });

  protected read(): Promise<() => void> {
    return this._readFrom('');
  }

  protected override get wanted(): IArtifactFilter {
    return this._filter;
  }

  private async _readFrom(token: string): Promise<() => void> {
    const page = await this.client.artifacts(this._filter, token);
    return () => {
      this._artifacts = token ? [...this._artifacts, ...page.artifacts] : page.artifacts;
      this._total = page.total_size;
      this._token = page.next_page_token;
      this._reason = page.reason;
    };
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
    this.tell({ kind: 'loading' });
    void this.refresh();
  }

  private _filter: IArtifactFilter;
  private _artifacts: readonly IArtifactRow[] = [];
  private _total = 0;
  private _token = '';
  private _reason = '';
}

/** One artifact with its lineage. */
export class ArtifactModel extends Loaded {
  constructor(
    readonly id: string,
    private readonly client: IArtifactsClient
  ) {
    super();
    void this.refresh();
  }

  /** Null until the server has told. */
  get artifact(): IArtifactDetail | null {
    return this._artifact;
  }

  protected async read(): Promise<() => void> {
    const artifact = await this.client.artifact(this.id);
    return () => {
      this._artifact = artifact;
    };
  }

  private _artifact: IArtifactDetail | null = null;
}
