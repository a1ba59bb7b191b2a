/**
 * What the server extension answers, field by field.
 */

/** KFP's words; `CACHED` for steps only. */
export type RunState =
  'PENDING' | 'RUNNING' | 'SUCCEEDED' | 'SKIPPED' | 'FAILED' | 'CANCELING' | 'CANCELED' | 'CACHED';

/** How it is with something that is followed. */
export interface IHealth {
  /**
   * `reconnecting` is tried again by itself, and what was known stays; after an `error` somebody must
   * do something.
   */
  health: 'ok' | 'starting' | 'reconnecting' | 'error';
  /** Why, in words; empty when it is well. */
  message: string;
  /** What to do about it. */
  hint: string;
}

/** The row of the topic `context`. */
export interface IContext extends IHealth {
  context: string;
  namespace: string;
  /** URL of the API server; empty while that is not known. */
  server: string;
  /** Version of the API server; empty while that is not known. */
  version: string;
}

/** A context that could be used. */
export interface IContextChoice {
  name: string;
  source: 'embedded' | 'kubeconfig' | 'in-cluster';
  /** The files that hold it. */
  files: string;
  /** Name of its cluster. */
  cluster: string;
  /** The namespace that it means by itself. */
  namespace: string;
  /** Why it cannot be used; empty where nothing is known against it. */
  problem: string;
}

export interface IPlace {
  context: string;
  namespace: string;
}

export interface IContexts {
  /** Null where the one that was chosen is no more. */
  current: IPlace | null;
  contexts: IContextChoice[];
}

export interface INamespaces {
  namespaces: string[];
  /** Why the list is empty, where namespaces may not be listed: one may be named all the same. */
  reason: string;
}

/** Of one resource: cores, bytes or devices. */
export interface IAmount {
  used: number;
  /** Null where nobody tells. */
  allocatable: number | null;
  /** The namespace's quota, where it has one for this resource. */
  quota: { used: number; hard: number } | null;
}

export type ResourceName = 'cpu' | 'memory' | 'gpu';

/** The row of the topic `usage`. */
export interface IUsage extends Record<ResourceName, IAmount> {
  /** Whose pods are counted in `used`. */
  scope: 'cluster' | 'namespace';
}

export interface IVerbAccess {
  allowed: boolean;
  reason: string;
}

export interface ICapability {
  available: boolean;
  /** Why not; empty where it is. */
  reason: string;
  verbs: Record<string, IVerbAccess>;
}

/** By Fairlead's name of the kind: `Run`, `Pod`, `PyTorchJob`, … */
export type Capabilities = Record<string, ICapability>;

/** What a page may subscribe to. */
export type ITopicRequest =
  | { topic: 'context' | 'usage' | 'runs' | 'training' }
  /** Objects of any kind; `namespace` defaults to the one in use, `*` is all. */
  | { topic: 'objects'; api_version: string; kind: string; namespace?: string };

/** What a topic tells. */
export type ITopicMessage<T> =
  | { error: string; hint: string }
  | (IHealth & {
      /** Whether `rows` are all there are; absent while nothing is known. */
      snapshot?: boolean;
      /** Rows by key, new or changed. */
      rows?: Record<string, T>;
      /** Keys of rows that are no more. */
      gone?: string[];
    });

/** Row of the topic `objects`. */
export interface IObjectRow {
  name: string;
  namespace: string | null;
  uid: string;
  labels: Record<string, string>;
  created: string | null;
  phase: string | null;
  /** Since when it is being deleted; null where it is not. */
  deleted: string | null;
}

export interface IRunSummary {
  id: string;
  name: string;
  state: RunState;
  /** What keeps it from beginning; null while nothing does. */
  waits_for: string | null;
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

/** An artifact as KFP's REST tells it; which fields there are depends on the server. */
export interface IArtifact {
  artifact_id?: string;
  name?: string;
  type?: string;
  uri?: string;
  metadata?: Record<string, unknown>;
  number_value?: number;
}

/** The words of KFP's `PipelineTaskDetail`. */
export type TaskType =
  'RUNTIME' | 'IMPORTER' | 'DAG' | 'LOOP' | 'CONDITION_BRANCH' | 'CONDITION' | 'EXIT_HANDLER';

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
  /** Of the first artifact. */
  uri: string | null;
  artifacts: IArtifact[];
}

export interface INode {
  /** Its name; in a scope after the scope's id and a dot. */
  id: string;
  name: string;
  /** KFP's id of the task; null before there is one. */
  task_id: string | null;
  /** Id of the scope that it is in; null at the top. */
  parent: string | null;
  type: TaskType;
  /** Which iteration of the loop above it this is, from 0. */
  iteration: number | null;
  /** How many iterations a loop has; null while that is not known. */
  iterations: number | null;
  /** When a branch is taken, in KFP's words. */
  condition: string | null;
  state: RunState;
  /** What its pod waits for; null while it waits for nothing. */
  waits_for: string | null;
  cached: boolean;
  /** Why it was taken from the cache, or why it ran. */
  cache_reason: string | null;
  /** Pods of earlier attempts. */
  failed_pods: string[];
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
  /** Path of the setting that is at fault, `fairlead.resources.cpu`. */
  path: string | null;
  /** Label of the node of Elyra's that it is about; null in a notebook, and for a whole file. */
  node: string | null;
}

/** A run that was started, and what of its file has no effect or may come out otherwise. */
export interface IStarted {
  run: IRunSummary;
  problems: IProblem[];
}

export interface IAnalysis {
  steps: IStep[];
  parameters: IParameter[];
  problems: IProblem[];
}

/** What a kernel says of a value. */
export interface ILiveValue {
  type: string;
  /** Bytes of it as a step would store it; absent where that took too long. */
  size?: number;
  /** `size` is the least. */
  more?: boolean;
  /** Why it cannot travel. */
  error?: string;
  /** Type of the part of it that is to blame. */
  part?: string;
}

/** Row of the topic `runs`. */
export interface IRunRow {
  run_id: string;
  namespace: string;
  state: RunState;
  done: number;
  total: number;
  /** Differs after each change, also of a single step. */
  version: string;
}

/** A change of a run. */
export interface IRunChange extends Omit<IRunRow, 'version'> {
  deleted: boolean;
}
