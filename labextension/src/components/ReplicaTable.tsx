import * as React from 'react';

import { Elapsed } from './Elapsed';
import { StateIcon } from './StateIcon';
import { isActive, stateKey, stateLabel } from './states';
import type { ITrans } from './text';
import { walkRows } from './walkrows';

export interface IReplicaRow {
  name: string;
  type: string;
  index: number;
  state: string;
  message: string;
  restarts: number;
  started_at: string | null;
  finished_at: string | null;
}

/** The pods of a job. A press on one shows it alone, another press all again. */
export function ReplicaTable(props: {
  replicas: readonly IReplicaRow[];
  selected: string | null;
  onSelect: (name: string | null) => void;
  trans: ITrans;
}): JSX.Element {
  const { replicas, selected, onSelect, trans } = props;
  return (
    <table className="fl-Table fl-ReplicaTable" aria-label={trans.__('Replicas')} onKeyDown={walkRows}>
      <thead>
        <tr>
          <th scope="col">{trans.__('Replica')}</th>
          <th scope="col">{trans.__('State')}</th>
          <th scope="col" className="fl-mod-number">
            {trans.__('Restarts')}
          </th>
          <th scope="col" className="fl-mod-number">
            {trans.__('Duration')}
          </th>
        </tr>
      </thead>
      <tbody>
        {replicas.map(replica => (
          <tr
            key={replica.name}
            data-fl-replica={replica.name}
            data-fl-state={stateKey(replica.state)}
            aria-selected={replica.name === selected}
            onClick={() => onSelect(replica.name === selected ? null : replica.name)}
          >
            <td>
              <button type="button" className="fl-Link" title={replica.name}>
                {`${replica.type}-${replica.index}`}
              </button>
            </td>
            <td>
              <span className="fl-StepTable-state">
                <StateIcon state={replica.state} trans={trans} silent />
                {stateLabel(replica.state, trans)}
              </span>
              {replica.message && <p className="fl-ReplicaTable-message">{replica.message}</p>}
            </td>
            <td className="fl-mod-number">{replica.restarts || ''}</td>
            <td className="fl-mod-number">
              <Elapsed from={replica.started_at} until={replica.finished_at} live={isActive(replica.state)} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
