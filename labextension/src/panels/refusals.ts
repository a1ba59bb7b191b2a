/**
 * Which verbs of Kubernetes stand behind the verbs of a run.
 */
import type { JobVerb } from '../components/JobList';
import type { RunVerb } from '../components/RunList';
import type { ContextModel } from '../model/context';

const VERBS: Record<RunVerb | 'start', string> = {
  open: 'get',
  compare: 'get',
  start: 'create',
  stop: 'create',
  retry: 'create',
  clone: 'create',
  rerun: 'create',
  schedule: 'create',
  archive: 'create',
  delete: 'delete'
};

/** Why something cannot be done with runs here; empty where it can, or where that is not known. */
export function runRefusal(context: Pick<ContextModel, 'refusal'>, verb: RunVerb | 'start'): string {
  return VERBS[verb] === 'get' ? '' : context.refusal('Run', VERBS[verb]);
}

/** Why something cannot be done with a kind of training job here; empty as for runs. */
export function jobRefusal(context: Pick<ContextModel, 'refusal'>, verb: JobVerb, kind: string): string {
  const verbs: Record<JobVerb, string> = { open: '', suspend: 'patch', resume: 'patch', delete: 'delete' };
  return verbs[verb] && context.refusal(kind, verbs[verb]);
}
