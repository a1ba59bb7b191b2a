/**
 * Runs beside each other, the first of them the baseline. Has no DOM.
 */
import type { FairleadClient } from '../api/client';
import type { IRunChange } from '../api/types';
import type { IComparison } from '../comparison';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

export class ComparisonModel extends Loaded {
  constructor(
    runs: readonly string[],
    private readonly client: Pick<FairleadClient, 'comparison'>,
    feed: IRunFeed
  ) {
    super();
    this._runs = runs;
    feed.runChanged.connect(this._onRun, this);
    feed.start();
    void this.refresh();
  }

  /** Ids of the runs. */
  get runs(): readonly string[] {
    return this._runs;
  }

  /** Null until the server has told. */
  get found(): IComparison | null {
    return this._found;
  }

  /** Hold the others against this run. */
  makeBaseline(id: string): void {
    this._choose([id, ...this._runs.filter(run => run !== id)]);
  }

  /** Compare with these too. */
  add(ids: readonly string[]): void {
    this._choose([...new Set([...this._runs, ...ids])]);
  }

  remove(id: string): void {
    this._choose(this._runs.filter(run => run !== id));
  }

  protected async read(): Promise<() => void> {
    const found = await this.client.comparison(this._runs);
    return () => {
      this._found = found;
    };
  }

  protected override get wanted(): readonly string[] {
    return this._runs;
  }

  private _choose(runs: readonly string[]): void {
    this._runs = runs;
    void this.refresh();
  }

  /** A run that ended, or was tried again, shows more than before. */
  private _onRun(_: unknown, change: IRunChange): void {
    const known = this._found?.runs.find(run => run.id === change.run_id);
    if (change.deleted && this._runs.includes(change.run_id) && this._runs.length > 1) {
      this.remove(change.run_id);
    } else if (known && known.state !== change.state) {
      void this.refresh();
    }
  }

  private _runs: readonly string[];
  private _found: IComparison | null = null;
}
