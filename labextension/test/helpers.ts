import { Signal } from '@lumino/signaling';

import type { IFairleadEvents } from '../src/api/events';
import type { IContext, INode, IRunChange, IRunDetail, IRunSummary } from '../src/api/types';

/** Events that a test emits. */
export class FakeEvents implements IFairleadEvents {
  readonly runChanged = new Signal<this, IRunChange>(this);
  readonly contextChanged = new Signal<this, IContext>(this);
  readonly opened = new Signal<this, void>(this);
  starts = 0;

  start(): void {
    this.starts += 1;
  }
}

export const CONTEXT: IContext = { context: 'local', namespace: 'default', health: 'ok', message: '' };

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
    error: null,
    ...changes
  };
}

export function change(run: IRunSummary, changes: Partial<IRunChange> = {}): IRunChange {
  const { id, state, done, total } = run;
  return {
    run_id: id,
    context: 'local',
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
    state: 'PENDING',
    cached: false,
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
