import { closeIcon, LabIcon, launchIcon, runIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Age, Elapsed } from './Elapsed';
import { IRow, IRowVerb, Rows } from './Rows';
import { StateIcon } from './StateIcon';
import { isActive, stateKey, stateLabel } from './states';
import type { ITrans } from './text';

export interface IJobRow {
  uid: string;
  kind: string;
  name: string;
  state: string;
  message: string;
  wanted: number;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  replicas: readonly { state: string }[];
}

export type JobVerb = 'open' | 'suspend' | 'resume' | 'delete';

/** Training jobs of all kinds. */
export function JobList(props: {
  jobs: readonly IJobRow[];
  suspendIcon: LabIcon;
  onVerb: (verb: JobVerb, uid: string) => void;
  refusal: (verb: JobVerb, kind: string) => string;
  trans: ITrans;
}): JSX.Element {
  const { jobs, trans, refusal } = props;
  return (
    <Rows
      label={trans.__('Training jobs')}
      attribute="data-fl-job"
      open="open"
      remove="delete"
      rows={jobs.map(job => jobRow(job, props.suspendIcon, refusal, trans))}
      onVerb={props.onVerb}
      trans={trans}
    />
  );
}

function jobRow(
  job: IJobRow,
  suspendIcon: LabIcon,
  refusal: (verb: JobVerb, kind: string) => string,
  trans: ITrans
): IRow<JobVerb> {
  const live = isActive(job.state);
  const verb = (name: JobVerb, icon: LabIcon, label: string): IRowVerb<JobVerb> => ({
    name,
    icon,
    label,
    refusal: refusal(name, job.kind)
  });
  return {
    id: job.uid,
    name: job.name,
    state: stateKey(job.state),
    title: [`${job.kind} ${job.name}`, stateLabel(job.state, trans), job.message].filter(Boolean).join('\n'),
    verbs: [
      verb('open', launchIcon, trans.__('Open')),
      ...(live ? [verb('suspend', suspendIcon, trans.__('Suspend'))] : []),
      ...(job.state === 'SUSPENDED' ? [verb('resume', runIcon, trans.__('Resume'))] : []),
      verb('delete', closeIcon, trans.__('Delete'))
    ],
    content: (
      <>
        <StateIcon state={job.state} trans={trans} />
        <span className="fl-RunRow-name">{job.name}</span>
        <span className="fl-RunRow-metric">{job.kind}</span>
        <Ready job={job} trans={trans} />
        <Elapsed
          className="fl-RunRow-time"
          from={job.started_at ?? job.created_at}
          until={job.finished_at}
          live={live}
        />
        <Age className="fl-RunRow-age" from={job.created_at} trans={trans} />
      </>
    )
  };
}

/** How many replicas run or are done, of all. */
export function Ready(props: { job: Pick<IJobRow, 'replicas' | 'wanted'>; trans: ITrans }): JSX.Element {
  const { replicas, wanted } = props.job;
  const ready = replicas.filter(one => one.state === 'RUNNING' || one.state === 'SUCCEEDED').length;
  return (
    <span
      className="fl-RunRow-progress"
      data-fl-progress={`${ready}/${wanted}`}
      title={props.trans.__('%1 of %2 replicas run or are done', ready, wanted)}
    >
      {wanted > 0 && `${ready}/${wanted}`}
    </span>
  );
}
