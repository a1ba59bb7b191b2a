/**
 * One run with its graph, followed live. Has no DOM.
 */
import type { FairleadClient } from '../api/client';
import type { IContext, INode, IRunChange, IRunDetail } from '../api/types';
import type { IContextInUse } from './context';
import { Loaded } from './loaded';
import type { IRunFeed } from './runfeed';

export class RunModel extends Loaded {
  constructor(
    readonly id: string,
    private readonly client: Pick<FairleadClient, 'run'>,
    feed: IRunFeed,
    private readonly context: IContextInUse
  ) {
    super();
    feed.runChanged.connect(this._onRun, this);
    feed.opened.connect(this._onOpened, this);
    context.moved.connect(this._onMoved, this);
    void this.refresh();
  }

  /** Null until the server has told. */
  get run(): IRunDetail | null {
    return this._run;
  }

  /** The step shown in detail: the one chosen, else the one that a reader looks for first. */
  get selected(): INode | null {
    const nodes = this._run?.graph.nodes ?? [];
    const wanted = this._chosen ?? this._shown;
    return nodes.find(node => node.id === wanted || node.task_id === wanted) ?? nodes[0] ?? null;
  }

  /** Choose the step to show, by its node or by KFP's id of its task; the run may still be on its way. */
  select(node: string): void {
    this._chosen = node;
    this.tell();
  }

  protected async read(): Promise<(() => void) | null> {
    if (this._isElsewhere()) {
      return null;
    }
    const asked = this.context.context;
    const run = await this.client.run(this.id);
    return () => {
      this._run = run;
      this._home ??= asked ?? this.context.context;
      this._shown = notable(run.graph.nodes, this._shown);
    };
  }

  private _onOpened(): void {
    void this.refresh();
  }

  /** A run stays in its context: while another one is in use, it is shown as last known. */
  private _onMoved(): void {
    if (this._home && this._isElsewhere()) {
      this.tell({ kind: 'elsewhere', context: this._home.context });
    } else {
      void this.refresh();
    }
  }

  private _isElsewhere(): boolean {
    const now = this.context.context;
    return this._home !== null && now !== null && now.context !== this._home.context;
  }

  private _onRun(_: unknown, change: IRunChange): void {
    if (change.run_id !== this.id) {
      return;
    }
    if (change.deleted) {
      this.tell({ kind: 'gone', message: '', hint: '' });
    } else {
      void this.refresh();
    }
  }

  private _run: IRunDetail | null = null;
  /** Where the run was found. */
  private _home: IContext | null = null;
  private _chosen: string | null = null;
  private _shown: string | null = null;
}

/** What to show of a run by itself: a failed step, else one that runs, else what was shown. */
function notable(nodes: readonly INode[], shown: string | null): string | null {
  const scopes = new Set(nodes.map(node => node.parent));
  const steps = nodes.filter(node => !scopes.has(node.id));
  const running = steps.filter(node => node.state === 'RUNNING');
  const node =
    steps.find(one => one.state === 'FAILED') ??
    nodes.find(one => one.state === 'FAILED') ??
    running.find(one => one.id === shown) ??
    running[0];
  return node?.id ?? shown;
}
