import { deleteIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Age } from './Elapsed';
import { StateIcon } from './StateIcon';
import { stateLabel } from './states';
import type { ITrans } from './text';
import { Next } from './Upcoming';

export interface IRecurringRow {
  id: string;
  name: string;
  enabled: boolean;
  when: string;
  time_zone: string;
  next: readonly string[];
  last_run: { id: string; name: string; state: string; created_at: string | null } | null;
  max_concurrency: number;
  catchup: boolean;
  error: string | null;
}

/** Recurring runs as a table: each with its next time and its last run, a switch, and delete. */
export function RecurringTable(props: {
  rows: readonly IRecurringRow[];
  /** Why nothing can be changed; empty where it can. */
  refusal: string;
  onEnable: (row: IRecurringRow, enabled: boolean) => void;
  onDelete: (row: IRecurringRow) => void;
  onOpenRun: (run: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { rows, trans } = props;
  return (
    <table className="fl-Table fl-RecurringTable" aria-label={trans.__('Recurring runs')}>
      <thead>
        <tr>
          <th scope="col">{trans.__('On')}</th>
          <th scope="col">{trans.__('Name')}</th>
          <th scope="col" className="fl-mod-medium">
            {trans.__('When')}
          </th>
          <th scope="col">{trans.__('Next')}</th>
          <th scope="col">{trans.__('Last run')}</th>
          <th scope="col" className="fl-mod-wide">
            {trans.__('Runs at one time')}
          </th>
          <th scope="col">
            <span className="fl-visuallyHidden">{trans.__('Actions')}</span>
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map(row => (
          <Row key={row.id} {...props} row={row} />
        ))}
      </tbody>
    </table>
  );
}

function Row(props: {
  row: IRecurringRow;
  refusal: string;
  onEnable: (row: IRecurringRow, enabled: boolean) => void;
  onDelete: (row: IRecurringRow) => void;
  onOpenRun: (run: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { row, refusal, trans } = props;
  const last = row.last_run;
  return (
    <tr data-fl-recurring={row.name} data-fl-enabled={row.enabled}>
      <td>
        <button
          type="button"
          role="switch"
          className="fl-Toggle"
          data-fl-action="toggle"
          aria-checked={row.enabled}
          aria-label={trans.__('%1 starts runs', row.name)}
          aria-disabled={refusal !== ''}
          title={refusal || (row.enabled ? trans.__('Enabled') : trans.__('Disabled'))}
          onClick={() => refusal || props.onEnable(row, !row.enabled)}
        >
          <span className="fl-Toggle-knob" />
        </button>
      </td>
      <td className="fl-RunTable-name">
        {row.name}
        <span className="fl-RecurringTable-when">{row.when}</span>
        {row.error && (
          <span className="fl-RecurringTable-error" role="alert" data-fl-error="recurring">
            {row.error}
          </span>
        )}
      </td>
      <td className="fl-mod-medium">{row.when}</td>
      <td data-fl-fact="next">
        {row.enabled ? <Next times={row.next} zone={row.time_zone} trans={trans} /> : '–'}
      </td>
      <td>
        {last ? (
          <span className="fl-StepTable-state">
            <StateIcon state={last.state} trans={trans} silent />
            <button
              type="button"
              className="fl-Link"
              data-fl-action="open-last"
              title={`${last.name}: ${stateLabel(last.state, trans)}`}
              onClick={() => props.onOpenRun(last.id)}
            >
              <Age from={last.created_at} trans={trans} />
            </button>
          </span>
        ) : (
          <span title={trans.__('none yet')}>–</span>
        )}
      </td>
      <td className="fl-mod-wide">
        {row.catchup
          ? trans.__('%1 · missed ones are made up for', row.max_concurrency)
          : trans.__('%1 · of missed ones only the latest', row.max_concurrency)}
      </td>
      <td className="fl-mod-number">
        <button
          type="button"
          className="fl-RunRow-verb"
          data-fl-action="delete"
          aria-label={trans.__('Delete %1…', row.name)}
          aria-disabled={refusal !== ''}
          title={refusal || trans.__('Delete %1…', row.name)}
          onClick={() => refusal || props.onDelete(row)}
        >
          <deleteIcon.react tag="span" />
        </button>
      </td>
    </tr>
  );
}
