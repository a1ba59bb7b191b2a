/**
 * What the server extension tells of training jobs, field by field.
 */

export type JobState = 'PENDING' | 'RUNNING' | 'RESTARTING' | 'SUSPENDED' | 'SUCCEEDED' | 'FAILED';

/** One pod of a job. */
export interface IReplica {
  /** Of the pod. */
  name: string;
  /** `master`, `worker`, `launcher`, `node`, … */
  type: string;
  index: number;
  state: JobState;
  /** Why it waits, or how it failed; empty where neither. */
  message: string;
  restarts: number;
  started_at: string | null;
  finished_at: string | null;
}

/** Row of the topic `training`. */
export interface IJob {
  /** As `kubectl` names it in full: `pytorchjobs.v1.kubeflow.org`. */
  resource: string;
  kind: string;
  name: string;
  namespace: string;
  uid: string;
  /** Differs after each change of the object. */
  version: string;
  state: JobState;
  /** Why it waits or has failed; empty where neither. */
  message: string;
  /** How many replicas it asks for. */
  wanted: number;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  /** Those that there are, by type and index. */
  replicas: IReplica[];
}

/** Which job: its resource and its name. */
export type JobKey = Pick<IJob, 'resource' | 'name'>;

/** A Kubernetes Event about a job or one of its pods. */
export interface IJobEvent {
  /** Kind and name of what it is about. */
  object: string;
  type: 'Normal' | 'Warning';
  reason: string;
  message: string;
  count: number;
  last: string | null;
}
