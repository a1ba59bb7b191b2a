/**
 * One page of all runs, filtered and sorted by the server and followed live. Has no DOM.
 */
import type { FairleadClient } from '../api/client';
import type { IRunEntry } from '../api/runtypes';
import type { IRunChange, IRunSummary } from '../api/types';
import type { IContextInUse } from './context';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

/** What the server can sort by. */
export type RunSort = 'name' | 'state' | 'created_at';

export interface IRunFilter {
  name: string;
  /** Empty: any. */
  states: readonly string[];
  archived: boolean;
  /** Empty: any. */
  experiment: string;
  /** Labels that a run has; empty: any. */
  label: string;
  sort: RunSort;
  descending: boolean;
}

const PAGE_SIZE = 50;

export class RunTableModel extends Loaded {
  constructor(
    private readonly client: Pick<FairleadClient, 'runPage'>,
    feed: IRunFeed,
    context: IContextInUse
  ) {
    super();
    feed.runChanged.connect(this._onRun, this);
    feed.opened.connect(this._onOpened, this);
    context.moved.connect(this._onMoved, this);
    context.start();
    feed.start();
    void this.refresh();
  }

  get runs(): readonly IRunEntry[] {
    return this._runs;
  }

  /** How many runs there are on all pages. */
  get total(): number {
    return this._total;
  }

  /** Places of the first and the last row among all, from 1. */
  get range(): [first: number, last: number] {
    const first = this._before.length * PAGE_SIZE;
    return [first + 1, first + this._runs.length];
  }

  get filter(): IRunFilter {
    return this._filter;
  }

  get hasNext(): boolean {
    return this._next !== '';
  }

  get hasPrevious(): boolean {
    return this._before.length > 0;
  }

  /** Ids of the chosen rows. */
  get chosen(): ReadonlySet<string> {
    return this._chosen;
  }

  /** Filter or sort otherwise, and begin at the first page. */
  setFilter(filter: Partial<IRunFilter>): void {
    this._filter = { ...this._filter, ...filter };
    this._begin();
  }

  next(): void {
    if (this.hasNext) {
      this._before.push(this._token);
      this._turn(this._next);
    }
  }

  previous(): void {
    const token = this._before.pop();
    if (token !== undefined) {
      this._turn(token);
    }
  }

  /** Choose rows, or no longer. */
  choose(ids: readonly string[], chosen: boolean): void {
    const next = new Set(this._chosen);
    ids.forEach(id => (chosen ? next.add(id) : next.delete(id)));
    this._chosen = next;
    this.tell();
  }

  /** Take a summary that an action answered, without waiting for its event. */
  put(run: IRunSummary): void {
    this._runs = this._runs.map(one => (one.id === run.id ? { ...one, ...run, metrics: one.metrics } : one));
    this.tell();
  }

  protected async read(): Promise<() => void> {
    const { name, states, archived, experiment, label, sort, descending } = this._filter;
    const page = await this.client.runPage({
      page_size: PAGE_SIZE,
      page_token: this._token,
      sort_by: `${sort} ${descending ? 'desc' : 'asc'}`,
      name,
      state: states,
      storage_state: archived ? 'ARCHIVED' : 'AVAILABLE',
      experiment_id: experiment,
      label
    });
    return () => this._take(page.runs, page.total_size, page.next_page_token);
  }

  protected override get wanted(): number {
    return this._turns;
  }

  private _take(runs: IRunEntry[], total: number, next: string): void {
    // The last row of a page may be gone by now.
    if (runs.length === 0 && this._before.length > 0) {
      this.previous();
      return;
    }
    const ids = new Set(runs.map(run => run.id));
    this._runs = runs;
    this._total = total;
    this._next = next;
    this._chosen = new Set([...this._chosen].filter(id => ids.has(id)));
  }

  private _begin(): void {
    this._before = [];
    this._turn('');
  }

  private _turn(token: string): void {
    this._turns += 1;
    this._token = token;
    this._chosen = new Set();
    this.tell();
    void this.refresh();
  }

  private _onOpened(): void {
    void this.refresh();
  }

  /** Another context has other runs and other experiments. */
  private _onMoved(): void {
    this._runs = [];
    this._total = 0;
    this._filter = { ...this._filter, experiment: '' };
    this.tell({ kind: 'loading' });
    this._begin();
  }

  /** Progress is in the event itself; a new run, another state or a run that left need a look. */
  private _onRun(_: unknown, change: IRunChange): void {
    const known = this._runs.find(run => run.id === change.run_id);
    if (!known || change.deleted || known.state !== change.state) {
      void this.refresh();
    } else if (known.done !== change.done || known.total !== change.total) {
      this.put({ ...known, done: change.done, total: change.total });
    }
  }

  private _filter: IRunFilter = {
    name: '',
    states: [],
    archived: false,
    experiment: '',
    label: '',
    sort: 'created_at',
    descending: true
  };
  private _runs: readonly IRunEntry[] = [];
  private _total = 0;
  /** Tokens of the pages before this one. */
  private _before: string[] = [];
  private _token = '';
  private _next = '';
  private _turns = 0;
  private _chosen: ReadonlySet<string> = new Set();
}
