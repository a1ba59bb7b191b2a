import * as React from 'react';

import { Elapsed } from './Elapsed';
import { StateIcon } from './StateIcon';
import { isActive, stateKey, stateLabel } from './states';
import type { IDagNode } from './dag/types';
import type { ITrans } from './text';

/** The steps as a table: the graph for those who rather read. */
export function StepTable(props: {
  steps: readonly IDagNode[];
  selected: string | null;
  onSelect: (id: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { trans } = props;
  return (
    <table className="fl-Table fl-StepTable" aria-label={trans.__('Steps')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Step')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col" className="fl-mod-number">
            {trans.__('Duration')}
          </th>
        </tr>
      </thead>
      <tbody>
        {props.steps.map(step => (
          <tr
            key={step.id}
            data-fl-step={step.id}
            data-fl-state={stateKey(step.state, step.cached)}
            aria-selected={step.id === props.selected}
            onClick={() => props.onSelect(step.id)}
          >
            <td>
              <button type="button" className="fl-Link" onClick={() => props.onSelect(step.id)}>
                {step.name}
              </button>
            </td>
            <td>
              <span className="fl-StepTable-state">
                <StateIcon state={step.state} cached={step.cached} trans={trans} silent />
                {stateLabel(step.state, trans, step.cached)}
              </span>
            </td>
            <td className="fl-mod-number">
              {!step.cached && (
                <Elapsed
                  from={step.started_at ?? null}
                  until={step.finished_at ?? null}
                  live={isActive(step.state)}
                />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
