import { DisposableDelegate, IDisposable } from '@lumino/disposable';
import { Signal } from '@lumino/signaling';

import type { IFeed, TopicListener } from '../src/api/feed';
import type {
  IContext,
  IHealth,
  INode,
  IRunChange,
  IRunDetail,
  IRunSummary,
  ITopicMessage,
  ITopicRequest
} from '../src/api/types';
import type { IContextInUse } from '../src/model/context';
import type { IRunFeed } from '../src/model/runfeed';

export const WELL: IHealth = { health: 'ok', message: '', hint: '' };

/** Topics that a test tells of. */
export class FakeFeed implements IFeed {
  connected = true;
  readonly connectionChanged = new Signal<this, boolean>(this);
  retries = 0;

  subscribe<T>(request: ITopicRequest, listener: TopicListener<T>): IDisposable {
    const entry = { request, listener: listener as TopicListener<unknown> };
    this._entries.add(entry);
    return new DisposableDelegate(() => void this._entries.delete(entry));
  }

  retry(): void {
    this.retries += 1;
  }

  connect(connected: boolean): void {
    this.connected = connected;
    this.connectionChanged.emit(connected);
  }

  /** Topics that somebody listens to. */
  get topics(): string[] {
    return [...this._entries].map(entry => entry.request.topic);
  }

  tell<T>(topic: string, message: Partial<ITopicMessage<T>>): void {
    for (const entry of this._entries) {
      if (entry.request.topic === topic) {
        entry.listener({ ...('error' in message ? {} : WELL), ...message } as ITopicMessage<unknown>);
      }
    }
  }

  private readonly _entries = new Set<{ request: ITopicRequest; listener: TopicListener<unknown> }>();
}

/** Changes of runs that a test emits. */
export class FakeRunFeed implements IRunFeed {
  readonly runChanged = new Signal<this, IRunChange>(this);
  readonly healthChanged = new Signal<this, IHealth>(this);
  readonly opened = new Signal<this, void>(this);
  starts = 0;

  start(): void {
    this.starts += 1;
  }
}

/** A context that a test moves. */
export class FakeContext implements IContextInUse {
  context: IContext | null = CONTEXT;
  readonly moved = new Signal<this, IContext>(this);
  starts = 0;

  start(): void {
    this.starts += 1;
  }

  move(to: Partial<IContext>): void {
    this.context = { ...CONTEXT, ...to };
    this.moved.emit(this.context);
  }
}

export const CONTEXT: IContext = {
  context: 'local',
  namespace: 'default',
  server: 'https://127.0.0.1:6443',
  version: 'v1.33.0',
  ...WELL
};

export function summary(id: string, changes: Partial<IRunSummary> = {}): IRunSummary {
  return {
    id,
    name: `run ${id}`,
    state: 'RUNNING',
    done: 0,
    total: 2,
    created_at: '2026-01-01T00:00:00Z',
    started_at: '2026-01-01T00:00:01Z',
    finished_at: null,
    metrics: {},
    waits_for: null,
    error: null,
    ...changes
  };
}

export function change(run: IRunSummary, changes: Partial<IRunChange> = {}): IRunChange {
  const { id, state, done, total } = run;
  return {
    run_id: id,
    namespace: 'kubeflow',
    state,
    done,
    total,
    deleted: false,
    ...changes
  };
}

export function node(id: string, changes: Partial<INode> = {}): INode {
  return {
    id,
    name: id,
    task_id: null,
    parent: null,
    type: 'RUNTIME',
    iteration: null,
    iterations: null,
    condition: null,
    state: 'PENDING',
    waits_for: null,
    cached: false,
    cache_reason: null,
    failed_pods: [],
    started_at: null,
    finished_at: null,
    pod: null,
    error: null,
    inputs: [],
    outputs: [],
    cell_ids: [id],
    ...changes
  };
}

export function detail(id: string, nodes: INode[], edges: [string, string][] = []): IRunDetail {
  return {
    ...summary(id),
    parameters: {},
    graph: { nodes, edges: edges.map(([source, target]) => ({ source, target, names: [] })) }
  };
}

/** Let promises that are due come through. */
export const settled = (): Promise<void> => new Promise(resolve => setTimeout(resolve, 0));
