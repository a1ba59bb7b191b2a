/**
 * Recurring runs, as the server extension answers and takes them.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';

import type { IRequestText } from './runtypes';
import type { IRunSummary } from './types';

export interface IRecurringRun {
  id: string;
  name: string;
  enabled: boolean;
  /** When its runs are started, in words. */
  when: string;
  /** Name of the time zone that its times are read in. */
  time_zone: string;
  /** The times to come, the next one first; none where it is disabled or over. */
  next: string[];
  last_run: IRunSummary | null;
  max_concurrency: number;
  /** What was missed is made up for; else only the latest. */
  catchup: boolean;
  /** Why its last run could not be started. */
  error: string | null;
  experiment_id: string;
  created_at: string | null;
}

/** Where the pipeline of a recurring run comes from. */
export type RecurringOrigin =
  | { run: string }
  /** A notebook's path, and its present content; without that the file is read. */
  | { path: string; notebook?: INotebookContent };

/** When runs are started; either `cron` or `every`. */
export interface ITiming {
  cron?: string;
  /** A duration as `1h30m`. */
  every?: string;
  time_zone?: string;
  start?: string;
  end?: string;
  max_concurrency?: number;
  catchup?: boolean;
}

export interface IRecurringWish extends ITiming {
  name?: string;
  experiment_id?: string;
  parameters?: Record<string, unknown>;
}

/** The request, and the times that it means. */
export interface IRecurringPreview extends IRequestText {
  when: string;
  time_zone: string;
  next: string[];
}
