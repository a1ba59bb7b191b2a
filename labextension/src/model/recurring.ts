/**
 * The recurring runs, read again when one of them has started a run or a run of theirs has ended. Has no DOM.
 */
import type { RecurringDoor } from '../api/recurring';
import type { IRecurringRun } from '../api/recurringtypes';
import type { IRunChange } from '../api/types';
import type { IContextInUse } from './context';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

type Client = Pick<RecurringDoor, 'list' | 'enable' | 'remove'>;

export class RecurringModel extends Loaded {
  constructor(
    private readonly client: Client,
    feed: IRunFeed,
    context: IContextInUse
  ) {
    super();
    feed.runChanged.connect(this._onRun, this);
    feed.opened.connect(this._again, this);
    context.moved.connect(this._onMoved, this);
    context.start();
    feed.start();
    void this.refresh();
  }

  get rows(): readonly IRecurringRun[] {
    return this._rows;
  }

  /** Let one start runs, or no longer. */
  async enable(id: string, enabled: boolean): Promise<void> {
    const changed = await this.client.enable(id, enabled);
    this._rows = this._rows.map(one => (one.id === id ? changed : one));
    this.tell();
  }

  async remove(id: string): Promise<void> {
    await this.client.remove(id);
    this._rows = this._rows.filter(one => one.id !== id);
    this.tell();
  }

  protected async read(): Promise<() => void> {
    const found = await this.client.list();
    return () => {
      this._rows = found;
    };
  }

  protected override get wanted(): number {
    return this._moves;
  }

  private _again(): void {
    void this.refresh();
  }

  /** Steps come and go; what counts is that a run is there, and how it ended. */
  private _onRun(_: unknown, change: IRunChange): void {
    if (this._states.get(change.run_id) !== change.state || change.deleted) {
      this._states.set(change.run_id, change.state);
      void this.refresh();
    }
  }

  /** Another context has others. */
  private _onMoved(): void {
    this._moves += 1;
    this._rows = [];
    this.tell({ kind: 'loading' });
    void this.refresh();
  }

  private _rows: readonly IRecurringRun[] = [];
  private _moves = 0;
  private readonly _states = new Map<string, string>();
}
