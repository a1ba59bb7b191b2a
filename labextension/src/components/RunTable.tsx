import * as React from 'react';

import { Age, Elapsed } from './Elapsed';
import { metric } from './format';
import type { IRunRow } from './RunList';
import { StateIcon } from './StateIcon';
import { isActive, stateKey, stateLabel } from './states';
import type { ITrans } from './text';
import { walkRows } from './walkrows';

export interface IRunTableRow extends IRunRow {
  experiment: string;
  pipeline: string;
  /** Kept: not deleted, nor cleaned up. */
  pinned: boolean;
  /** Others of its experiment are held against it. */
  baseline: boolean;
  labels: Record<string, string>;
}

/** Columns that can be sorted by. */
export type RunTableSort = 'name' | 'state' | 'created_at';

/** Metrics that a row has room for. */
const MOST_METRICS = 3;

/** Runs as a table: rows are chosen, opened, and sorted by their columns' heads. */
export function RunTable(props: {
  runs: readonly IRunTableRow[];
  chosen: ReadonlySet<string>;
  sort: RunTableSort;
  descending: boolean;
  onSort: (sort: RunTableSort, descending: boolean) => void;
  onChoose: (ids: readonly string[], chosen: boolean) => void;
  onOpen: (id: string) => void;
  /** Show the runs that have a label. */
  onLabel: (label: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { runs, chosen, trans } = props;
  const all = runs.length > 0 && runs.every(run => chosen.has(run.id));
  const some = runs.some(run => chosen.has(run.id));
  return (
    <table className="fl-Table fl-RunTable" aria-label={trans.__('Runs')} onKeyDown={walkRows}>
      <thead>
        <tr>
          <th scope="col" className="fl-RunTable-check">
            <input
              type="checkbox"
              data-fl-choose="all"
              aria-label={trans.__('Choose all runs of this page')}
              checked={all}
              ref={box => {
                if (box) {
                  box.indeterminate = some && !all;
                }
              }}
              onChange={() =>
                props.onChoose(
                  runs.map(run => run.id),
                  !all
                )
              }
            />
          </th>
          <SortHead {...props} column="state" label={trans.__('State')} />
          <SortHead {...props} column="name" label={trans.__('Name')} />
          <th scope="col" className="fl-mod-wide">
            {trans.__('Experiment')}
          </th>
          <th scope="col" className="fl-mod-wide">
            {trans.__('Pipeline')}
          </th>
          <th scope="col" className="fl-mod-number">
            {trans.__('Duration')}
          </th>
          <SortHead {...props} column="created_at" label={trans.__('Created')} className="fl-mod-medium" />
          <th scope="col" className="fl-mod-wide">
            {trans.__('Metrics')}
          </th>
        </tr>
      </thead>
      <tbody>
        {runs.map(run => (
          <Row
            key={run.id}
            run={run}
            chosen={chosen.has(run.id)}
            onChoose={on => props.onChoose([run.id], on)}
            onOpen={() => props.onOpen(run.id)}
            onLabel={props.onLabel}
            trans={trans}
          />
        ))}
      </tbody>
    </table>
  );
}

function SortHead(props: {
  column: RunTableSort;
  label: string;
  className?: string;
  sort: RunTableSort;
  descending: boolean;
  onSort: (sort: RunTableSort, descending: boolean) => void;
}): JSX.Element {
  const { column, descending } = props;
  const current = props.sort === column;
  return (
    <th
      scope="col"
      className={props.className}
      aria-sort={current ? (descending ? 'descending' : 'ascending') : 'none'}
    >
      <button
        type="button"
        className="fl-SortButton"
        data-fl-sort={column}
        // A time is looked at from its end first, a word from its beginning.
        onClick={() => props.onSort(column, current ? !descending : column === 'created_at')}
      >
        {props.label}
        <span className="fl-SortButton-mark" aria-hidden="true">
          {current ? (descending ? '▾' : '▴') : ''}
        </span>
      </button>
    </th>
  );
}

function Row(props: {
  run: IRunTableRow;
  chosen: boolean;
  onChoose: (chosen: boolean) => void;
  onOpen: () => void;
  onLabel: (label: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { run, trans } = props;
  const live = isActive(run.state);
  const metrics = Object.entries(run.metrics);
  return (
    <tr
      // The verbs of the sidebar's rows are those of these rows too.
      className="fl-RunTable-row"
      data-fl-run={run.id}
      data-fl-name={run.name}
      data-fl-state={stateKey(run.state)}
      aria-selected={props.chosen}
    >
      <td className="fl-RunTable-check">
        <input
          type="checkbox"
          data-fl-choose={run.id}
          aria-label={trans.__('Choose %1', run.name)}
          checked={props.chosen}
          onChange={event => props.onChoose(event.target.checked)}
        />
      </td>
      <td>
        <span className="fl-StepTable-state" title={run.error ?? undefined}>
          <StateIcon state={run.state} trans={trans} silent />
          <span className="fl-RunTable-state">{stateLabel(run.state, trans)}</span>
          {live && run.total > 0 && (
            <span className="fl-RunTable-progress" data-fl-progress={`${run.done}/${run.total}`}>
              {run.done}/{run.total}
            </span>
          )}
        </span>
      </td>
      <td className="fl-RunTable-name">
        <button type="button" className="fl-Link" data-fl-action="open" onClick={props.onOpen}>
          {run.name}
        </button>
        {run.pinned && (
          <span className="fl-Badge" data-fl-fact="pinned">
            {run.baseline ? trans.__('Baseline') : trans.__('Pinned')}
          </span>
        )}
        {Object.entries(run.labels).map(([key, value]) => {
          const label = value ? `${key}=${value}` : key;
          return (
            <button
              key={key}
              type="button"
              className="fl-Badge fl-mod-label"
              data-fl-label={key}
              title={trans.__('Show the runs with %1', label)}
              onClick={() => props.onLabel(label)}
            >
              {label}
            </button>
          );
        })}
      </td>
      <td className="fl-mod-wide fl-mod-cut" title={run.experiment}>
        {run.experiment}
      </td>
      <td className="fl-mod-wide fl-mod-cut" title={run.pipeline}>
        {run.pipeline}
      </td>
      <td className="fl-mod-number">
        <Elapsed from={run.created_at ?? run.started_at} until={run.finished_at} live={live} />
      </td>
      <td className="fl-mod-medium">
        <Age from={run.created_at} trans={trans} />
      </td>
      <td className="fl-mod-wide">
        <ul className="fl-RunTable-metrics">
          {metrics.slice(0, MOST_METRICS).map(([name, value]) => (
            <li key={name} data-fl-metric={name} title={`${name} ${value}`}>
              <span className="fl-Metrics-name">{name}</span> {metric(name, value)}
            </li>
          ))}
          {metrics.length > MOST_METRICS && <li>{trans.__('+ %1', metrics.length - MOST_METRICS)}</li>}
        </ul>
      </td>
    </tr>
  );
}
