import { closeIcon, LabIcon, launchIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Age, Elapsed } from './Elapsed';
import { mainMetric, metric } from './format';
import { IRow, IRowVerb, Rows } from './Rows';
import { StateIcon } from './StateIcon';
import { canRetry, isActive, stateKey, stateLabel } from './states';
import type { ITrans } from './text';

export interface IRunRow {
  id: string;
  name: string;
  state: string;
  done: number;
  total: number;
  created_at: string | null;
  started_at: string | null;
  finished_at: string | null;
  metrics: Record<string, number>;
  waits_for?: string | null;
  error: string | null;
}

export type RunVerb =
  'open' | 'stop' | 'retry' | 'clone' | 'rerun' | 'schedule' | 'compare' | 'archive' | 'delete';

/** Why a verb cannot be used; empty where it can. */
export type Refusal = (verb: RunVerb) => string;

/** Rows at most; there is a table of all. */
const FIRST_ROWS = 50;

/** The newest runs. */
export function RunList(props: {
  runs: readonly IRunRow[];
  onVerb: (verb: RunVerb, id: string) => void;
  /** Show all there are: the list has the newest only. */
  onAll: () => void;
  refusal: Refusal;
  trans: ITrans;
}): JSX.Element {
  const { runs, trans } = props;
  return (
    <>
      <Rows
        label={trans.__('Runs')}
        attribute="data-fl-run"
        open="open"
        remove="delete"
        rows={runs.slice(0, FIRST_ROWS).map(run => runRow(run, props.refusal, trans))}
        onVerb={props.onVerb}
        trans={trans}
      />
      {runs.length >= FIRST_ROWS && (
        <button type="button" className="fl-RunList-more" data-fl-action="more" onClick={props.onAll}>
          {trans.__('Show all runs')}
        </button>
      )}
    </>
  );
}

function runRow(run: IRunRow, refusal: Refusal, trans: ITrans): IRow<RunVerb> {
  const live = isActive(run.state);
  const shownMetric = mainMetric(run.metrics);
  const verb = (name: RunVerb, icon: LabIcon, label: string): IRowVerb<RunVerb> => ({
    name,
    icon,
    label,
    refusal: refusal(name)
  });
  return {
    id: run.id,
    name: run.name,
    state: stateKey(run.state),
    title: [run.name, stateLabel(run.state, trans), run.waits_for, run.error].filter(Boolean).join('\n'),
    verbs: [
      verb('open', launchIcon, trans.__('Open')),
      ...(live ? [verb('stop', stopIcon, trans.__('Stop'))] : []),
      ...(canRetry(run.state) ? [verb('retry', refreshIcon, trans.__('Retry'))] : []),
      verb('delete', closeIcon, trans.__('Delete'))
    ],
    content: (
      <>
        <StateIcon state={run.state} trans={trans} />
        <span className="fl-RunRow-name">{run.name}</span>
        {shownMetric && (
          <span className="fl-RunRow-metric" title={`${shownMetric[0]} ${shownMetric[1]}`}>
            {metric(...shownMetric)}
          </span>
        )}
        <span className="fl-RunRow-progress" data-fl-progress={`${run.done}/${run.total}`}>
          {run.total > 0 && `${run.done}/${run.total}`}
        </span>
        <Elapsed
          className="fl-RunRow-time"
          from={run.created_at ?? run.started_at}
          until={run.finished_at}
          live={live}
        />
        <Age className="fl-RunRow-age" from={run.created_at} trans={trans} />
      </>
    )
  };
}
