/**
 * Lists of runs, clones and experiments, as the server extension answers and takes them.
 */
import type { IRunSummary } from './types';

/** A row of the table of runs. */
export interface IRunEntry extends IRunSummary {
  /** Name of the pipeline; empty where the run does not say. */
  pipeline: string;
  experiment_id: string;
  experiment: string;
  archived: boolean;
  /** Kept: not deleted, nor cleaned up. */
  pinned: boolean;
  /** Others of its experiment are held against it. */
  baseline: boolean;
  labels: Record<string, string>;
}

/** What a page of runs shows; what is left out takes the server's default. */
export interface IRunQuery {
  page_size?: number;
  page_token?: string;
  /** A field, then `asc` or `desc`. */
  sort_by?: string;
  /** Part of the name. */
  name?: string;
  /** States, of which a run has one. */
  state?: readonly string[];
  storage_state?: 'AVAILABLE' | 'ARCHIVED';
  experiment_id?: string;
  /** Labels that a run has: `team=vision,checked`. */
  label?: string;
}

export interface IRunPage {
  runs: IRunEntry[];
  total_size: number;
  /** Empty on the last page. */
  next_page_token: string;
}

export interface IExperiment {
  id: string;
  name: string;
  description: string;
  created_at: string | null;
  /** Before 1971: never. */
  last_run_created_at: string | null;
  archived: boolean;
}

/** KFP's words. */
export type ParameterType =
  'STRING' | 'NUMBER_INTEGER' | 'NUMBER_DOUBLE' | 'BOOLEAN' | 'LIST' | 'STRUCT' | 'TASK_FINAL_STATUS';

/** A parameter of a pipeline, with its value in the run that is cloned. */
export interface IDraftParameter {
  name: string;
  type: ParameterType;
  description: string;
  optional: boolean;
  /** The only values that it may have; empty: any. */
  literals: unknown[];
  default?: unknown;
  value?: unknown;
}

/** What a form needs to clone a run. */
export interface IDraft {
  name: string;
  experiment_id: string;
  pipeline: string;
  parameters: IDraftParameter[];
  /** What of the file that it is read from has no effect, or may come out otherwise. */
  warnings: string[];
}

/** What a clone has of its own; without parameters, those of the run. */
export interface IClone {
  name?: string;
  experiment_id?: string;
  parameters?: Record<string, unknown>;
  /** Id of the node from which on nothing is taken from the cache. */
  rerun_from?: string;
}

/** The request of a clone, to read and to copy. */
export interface IRequestText {
  yaml: string;
  python: string;
  /** Ids of the steps before the one to begin at that run too, since their caching is off. */
  runs_again?: string[];
}

/** What a notebook's pipeline can be written as. */
export type ExportFormat = 'ir' | 'kfp' | 'kustomize' | 'share';

/** A wish to write it; the answer is where it is, and what one should know of it. */
export interface IExport {
  /** The notebook's path, as the contents API names it. */
  path: string;
  to: ExportFormat;
  /** Name of the file, or folder, beside the notebook. */
  name: string;
  overwrite?: boolean;
}
