/**
 * What the server extension answers about artifacts, field by field.
 */

export interface IArtifactMaker {
  run_id: string;
  run_name: string;
  task_id: string;
  task_name: string;
  /** Which of the task's outputs, or inputs, it is. */
  key: string;
}

/** A task that made or read an artifact. */
export interface IArtifactUse extends IArtifactMaker {
  state: string;
  /** Whether the run is no more. */
  gone: boolean;
  /** Parameters of a task that made it, by name. */
  inputs?: Record<string, unknown>;
}

export interface IArtifactRow {
  /** Empty where the server tells none. */
  id: string;
  name: string;
  /** As `kfp.dsl` names its class: `Model`, `ClassificationMetrics`, … */
  type: string;
  uri: string;
  /** Bytes; null where that is not known. */
  size: number | null;
  created_at: string | null;
  maker: IArtifactMaker | null;
}

export interface IArtifactPage {
  artifacts: IArtifactRow[];
  total_size: number;
  /** Empty on the last page. */
  next_page_token: string;
  /** In words why there is no list; empty where there is. */
  reason: string;
}

export interface ILineageNode {
  id: string;
  /** Id of the artifact or of the task. */
  ref: string;
  kind: 'artifact' | 'task';
  name: string;
  type: string;
  state: string;
  run_id: string;
  run_name: string;
}

export interface ILineage {
  nodes: ILineageNode[];
  edges: { source: string; target: string; names: string[] }[];
  /** Whether it goes on where it was cut. */
  more: boolean;
}

export interface IArtifactDetail extends IArtifactRow {
  metadata: Record<string, unknown>;
  /** Of the content; empty where it is not known. */
  sha256: string;
  made_by: IArtifactUse[];
  read_by: IArtifactUse[];
  graph: ILineage;
}

/** What chooses artifacts of a list; empty fields choose nothing. */
export interface IArtifactFilter {
  run: string;
  name: string;
  type: string;
}
