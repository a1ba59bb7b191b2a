import * as React from 'react';

import { conditionText, kindLabel } from './dag/nodes';
import { Elapsed } from './Elapsed';
import { instant, metric, valueText } from './format';
import { StateIcon } from './StateIcon';
import { isActive, stateLabel } from './states';
import type { ITrans } from './text';

export interface IStepError {
  message: string;
  cell_id: string | null;
  line: number | null;
}

export interface IStepPort {
  name: string;
  names?: string[];
  kind: 'artifact' | 'parameter';
  type: string | null;
  format: string | null;
  size: number | null;
  value: unknown;
  uri: string | null;
  /** Of an output that is a list there are several. */
  artifacts?: readonly { artifact_id?: string; uri?: string }[];
}

export interface IStepDetails {
  id: string;
  name: string;
  state: string;
  cached: boolean;
  /** KFP's word of the kind of task. */
  type?: string;
  /** The scope that it is in. */
  parent?: string | null;
  /** When a branch is taken. */
  condition?: string | null;
  /** How many iterations a loop has. */
  iterations?: number | null;
  /** What its pod waits for. */
  waits_for?: string | null;
  /** Why it was taken from the cache, or why it ran. */
  cache_reason?: string | null;
  /** Pods of earlier attempts. */
  failed_pods?: string[];
  started_at: string | null;
  finished_at: string | null;
  pod: string | null;
  error: IStepError | null;
  inputs: IStepPort[];
  outputs: IStepPort[];
  cell_ids: string[];
}

/** What one step is and how it fared. */
export function Overview(props: {
  step: IStepDetails;
  trans: ITrans;
  /** Bring a cell of the notebook into sight; without it there is no link. */
  onRevealCell?: (cellId: string, line: number | null) => void;
  /** Number of a cell in the notebook, where that is known. */
  cellNumber?: (cellId: string) => number | null;
}): JSX.Element {
  const { step, trans, onRevealCell, cellNumber } = props;
  const parameters = step.inputs.filter(port => port.kind === 'parameter');
  const firstCell = step.cell_ids[0];
  const kind = kindLabel(step.type, trans);
  return (
    <div className="fl-Overview">
      <h3 className="fl-Overview-name">{step.name}</h3>
      {step.error && (
        <StepError error={step.error} trans={trans} onRevealCell={onRevealCell} cellNumber={cellNumber} />
      )}
      <dl className="fl-Facts">
        <Fact label={trans.__('State')}>
          <StateIcon state={step.state} cached={step.cached} trans={trans} silent />
          <span data-fl-fact="state">{stateLabel(step.state, trans, step.cached)}</span>
          {step.cached && !step.cache_reason && (
            <span className="fl-Facts-note">
              {trans.__('nothing changed, so the earlier result was taken')}
            </span>
          )}
        </Fact>
        {step.waits_for && (
          <Fact label={trans.__('Waits for')}>
            <span data-fl-fact="waits-for">{step.waits_for}</span>
          </Fact>
        )}
        {step.cache_reason && (
          <Fact label={step.cached ? trans.__('Why cached') : trans.__('Why it ran')}>
            <span data-fl-fact="cache-reason">{step.cache_reason}</span>
          </Fact>
        )}
        {kind && (
          <Fact label={trans.__('Kind')}>
            {kind}
            {step.iterations ? trans._n(', %1 iteration', ', %1 iterations', step.iterations) : ''}
          </Fact>
        )}
        {step.parent && (
          <Fact label={trans.__('In')}>
            <code>{step.parent}</code>
          </Fact>
        )}
        {step.condition && (
          <Fact label={trans.__('Taken if')}>
            <code data-fl-fact="condition">{conditionText(step.condition)}</code>
          </Fact>
        )}
        {!step.cached && step.started_at && (
          <Fact label={trans.__('Duration')}>
            <Elapsed from={step.started_at} until={step.finished_at} live={isActive(step.state)} />
          </Fact>
        )}
        {step.started_at && <Fact label={trans.__('Started')}>{instant(step.started_at)}</Fact>}
        {step.finished_at && <Fact label={trans.__('Finished')}>{instant(step.finished_at)}</Fact>}
        {step.pod && (
          <Fact label={trans.__('Pod')}>
            <code>{step.pod}</code>
          </Fact>
        )}
        {(step.failed_pods?.length ?? 0) > 0 && (
          <Fact label={trans.__('Earlier attempts')}>
            {step.failed_pods?.map(pod => (
              <code key={pod}>{pod}</code>
            ))}
          </Fact>
        )}
        {firstCell && onRevealCell && (
          <Fact label={trans.__('Cells')}>
            <button
              type="button"
              className="fl-Link"
              data-fl-action="reveal-step"
              onClick={() => onRevealCell(firstCell, null)}
            >
              {trans._n(
                'Show the cell in the notebook',
                'Show the %1 cells in the notebook',
                step.cell_ids.length
              )}
            </button>
          </Fact>
        )}
      </dl>
      {parameters.length > 0 && (
        <Values title={trans.__('Parameters')} name="parameters" values={parameters} />
      )}
    </div>
  );
}

/** A step's error, with a way to its cell. */
export function StepError(props: {
  error: IStepError;
  trans: ITrans;
  onRevealCell?: (cellId: string, line: number | null) => void;
  cellNumber?: (cellId: string) => number | null;
}): JSX.Element {
  const { error, trans, onRevealCell } = props;
  const { cell_id, line } = error;
  const number = cell_id === null ? null : (props.cellNumber?.(cell_id) ?? null);
  // A reader counts cells; their ids are for machines.
  const message =
    number === null ? error.message : error.message.replace(`cell ${cell_id}`, `cell ${number}`);
  return (
    <div className="fl-Error" role="alert" data-fl-error="">
      <pre className="fl-Error-text">{message}</pre>
      {cell_id && onRevealCell && (
        <button
          type="button"
          className="fl-Link"
          data-fl-action="reveal-cell"
          onClick={() => onRevealCell(cell_id, line)}
        >
          {line === null ? trans.__('Show the cell') : trans.__('Show the cell, line %1', line)}
        </button>
      )}
    </div>
  );
}

/** Numbers that a run logged. */
export function Metrics(props: { metrics: Record<string, number> }): JSX.Element | null {
  return Object.keys(props.metrics).length === 0 ? null : (
    <ul className="fl-Metrics">
      {Object.entries(props.metrics).map(([name, value]) => (
        <li key={name} className="fl-Metrics-one" data-fl-metric={name} title={String(value)}>
          <span className="fl-Metrics-name">{name}</span> <b>{metric(name, value)}</b>
        </li>
      ))}
    </ul>
  );
}

function Fact(props: { label: string; children: React.ReactNode }): JSX.Element {
  return (
    <>
      <dt>{props.label}</dt>
      <dd>{props.children}</dd>
    </>
  );
}

function Values(props: {
  title: string;
  name: string;
  values: readonly { name: string; value: unknown }[];
}): JSX.Element {
  return (
    <>
      <h4 className="fl-Overview-sub">{props.title}</h4>
      <dl className="fl-Facts" data-fl-values={props.name}>
        {props.values.map(one => (
          <Fact key={one.name} label={one.name}>
            <code>{valueText(one.value)}</code>
          </Fact>
        ))}
      </dl>
    </>
  );
}
