/**
 * What the server extension answers, field by field.
 */

/** KFP's words; `CACHED` for steps only. */
export type RunState =
  'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'SKIPPED' | 'FAILED' | 'CANCELING' | 'CANCELED' | 'CACHED';

export interface IContext {
  context: string;
  namespace: string;
  health: 'ok' | 'starting' | 'error';
  /** Why, in words; empty when it is well. */
  message: string;
}

export interface IRunSummary {
  id: string;
  name: string;
  state: RunState;
  /** Steps that have ended well, of all steps. */
  done: number;
  total: number;
  /** Times are RFC 3339. */
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  metrics: Record<string, number>;
  error: string | null;
}

export interface INodeError {
  message: string;
  cell_id: string | null;
  /** Line in the cell, from 1. */
  line: number | null;
  ename: string | null;
  evalue: string | null;
}

export interface IPort {
  name: string;
  /** All names that share the object. */
  names?: string[];
  kind: 'artifact' | 'parameter';
  type: string | null;
  format: string | null;
  /** Bytes. */
  size: number | null;
  value: unknown;
  uri: string | null;
}

export interface INode {
  id: string;
  name: string;
  state: RunState;
  cached: boolean;
  started_at: string | null;
  finished_at: string | null;
  pod: string | null;
  error: INodeError | null;
  inputs: IPort[];
  outputs: IPort[];
  cell_ids: string[];
}

export interface IEdge {
  source: string;
  target: string;
  names: string[];
}

export interface IRunDetail extends IRunSummary {
  parameters: Record<string, unknown>;
  graph: { nodes: INode[]; edges: IEdge[] };
}

export interface IStep {
  name: string;
  title: string;
  cell_ids: string[];
  first_cell_index: number;
  reads: string[];
  writes: string[];
  after: string[];
  depends_on: string[];
  color_index: number;
}

export interface IParameter {
  name: string;
  type: string;
  default: unknown;
}

export interface IProblem {
  severity: 'error' | 'warning';
  cell_id: string | null;
  cell_index: number | null;
  line: number | null;
  name: string | null;
  message: string;
  hint: string;
}

export interface IAnalysis {
  steps: IStep[];
  parameters: IParameter[];
  problems: IProblem[];
}

/** Data of `run_changed`. */
export interface IRunChange {
  run_id: string;
  context: string;
  namespace: string;
  state: RunState;
  done: number;
  total: number;
  deleted: boolean;
}
