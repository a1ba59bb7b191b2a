/**
 * The head of the run view: how the run stands, and what can be done with it.
 */
import {
  copyIcon,
  deleteIcon,
  fastForwardIcon,
  historyIcon,
  LabIcon,
  refreshIcon,
  stopIcon
} from '@jupyterlab/ui-components';
import * as React from 'react';

import type { INode, IRunDetail } from '../api/types';
import { Elapsed } from '../components/Elapsed';
import { valueText } from '../components/format';
import { Metrics } from '../components/Overview';
import type { Refusal, RunVerb } from '../components/RunList';
import { StateIcon } from '../components/StateIcon';
import { canRetry, isActive, stateKey, stateLabel } from '../components/states';
import type { ITrans } from '../components/text';
import { compareIcon } from './icons';

export function RunHeader(props: {
  run: IRunDetail;
  trans: ITrans;
  refusal: Refusal;
  /** The chosen step: where a rerun begins. */
  step: INode | null;
  onVerb: (verb: RunVerb) => void;
}): JSX.Element {
  const { run, trans, refusal, step } = props;
  const live = isActive(run.state);
  const failed = run.graph.nodes.some(node => node.error);
  const verb = (name: RunVerb, icon: LabIcon, label: string, disabled = false, title = ''): JSX.Element => (
    <button
      type="button"
      className="fl-Button"
      data-fl-action={name}
      disabled={disabled}
      aria-disabled={refusal(name) !== ''}
      title={refusal(name) || title || label}
      onClick={() => refusal(name) || props.onVerb(name)}
    >
      <icon.react tag="span" />
      <span className="fl-Button-label">{label}</span>
    </button>
  );
  return (
    <header className="fl-RunHeader" data-fl-state={stateKey(run.state)}>
      <div className="fl-RunHeader-line">
        <StateIcon state={run.state} trans={trans} silent />
        <h2 className="fl-RunHeader-name">{run.name}</h2>
        <span className="fl-RunHeader-state" role="status" data-fl-fact="run-state">
          {stateLabel(run.state, trans)}
        </span>
        <Progress done={run.done} total={run.total} trans={trans} />
        <Elapsed
          className="fl-RunHeader-time"
          from={run.created_at ?? run.started_at}
          until={run.finished_at}
          live={live}
        />
        <span className="fl-RunHeader-verbs" role="group" aria-label={trans.__('Actions')}>
          {live && verb('stop', stopIcon, trans.__('Stop'), run.state === 'CANCELING')}
          {canRetry(run.state) && verb('retry', refreshIcon, trans.__('Retry'))}
          {step &&
            verb(
              'rerun',
              fastForwardIcon,
              trans.__('Rerun from here'),
              false,
              trans.__('Start a new run in which %1 and all after it take nothing from the cache', step.name)
            )}
          {verb('clone', copyIcon, trans.__('Clone…'))}
          {verb('schedule', historyIcon, trans.__('Schedule…'), false, trans.__('Run it again and again'))}
          {verb('compare', compareIcon, trans.__('Compare…'))}
          {verb('delete', deleteIcon, trans.__('Delete…'))}
        </span>
      </div>
      {run.waits_for && (
        <p className="fl-FormField-help" role="status" data-fl-fact="waits-for">
          {run.waits_for}
        </p>
      )}
      {run.error && !failed && (
        <div className="fl-Error" role="alert" data-fl-error="run">
          <pre className="fl-Error-text">{run.error}</pre>
        </div>
      )}
      <div className="fl-RunHeader-facts">
        <Metrics metrics={run.metrics} />
        <ul className="fl-Params" aria-label={trans.__('Parameters')}>
          {Object.entries(run.parameters).map(([name, value]) => (
            <li
              key={name}
              className="fl-Params-one"
              data-fl-parameter={name}
              title={`${name} = ${valueText(value)}`}
            >
              {name} = <code>{valueText(value)}</code>
            </li>
          ))}
        </ul>
      </div>
    </header>
  );
}

function Progress(props: { done: number; total: number; trans: ITrans }): JSX.Element | null {
  const { done, total } = props;
  if (total === 0) {
    return null;
  }
  return (
    <span
      className="fl-Progress"
      role="progressbar"
      aria-valuemin={0}
      aria-valuemax={total}
      aria-valuenow={done}
      aria-label={props.trans.__('Steps done')}
      data-fl-progress={`${done}/${total}`}
    >
      <span className="fl-Progress-bar">
        <span className="fl-Progress-fill" style={{ width: `${(100 * done) / total}%` }} />
      </span>
      {done}/{total}
    </span>
  );
}
