import * as React from 'react';

import { bytes, metric, valueText } from '../format';
import { StateIcon } from '../StateIcon';
import { stateLabel } from '../states';
import type { ITrans } from '../text';
import type { IComparedArtifact, IComparedRow, IComparison } from '../../comparison';

/** Parameters, metrics and artifacts of runs, with a column for each run. */
export function CompareTable(props: {
  found: IComparison;
  /** Leave out rows in which all runs are the same. */
  onlyDifferences: boolean;
  onOpenRun: (id: string) => void;
  onOpenArtifact: (id: string) => void;
  /** Hold the others against this one. */
  onBaseline: (id: string) => void;
  /** Absent where it would be the last. */
  onRemove: ((id: string) => void) | null;
  trans: ITrans;
}): JSX.Element {
  const { found, trans } = props;
  const wanted = (rows: readonly IComparedRow[]): readonly IComparedRow[] =>
    rows.filter(row => row.differs || !props.onlyDifferences);
  const parameters = wanted(found.parameters);
  const metrics = wanted(found.metrics);
  const { artifacts } = found;
  return (
    <div className="fl-Compare-scroll" tabIndex={0} role="region" aria-label={trans.__('Runs side by side')}>
      <table className="fl-Table fl-CompareTable" aria-label={trans.__('Comparison of runs')}>
        <thead>
          <tr>
            <td />
            {found.runs.map((run, place) => (
              <th key={run.id} scope="col" data-fl-compared={run.id} data-fl-baseline={place === 0}>
                <button
                  type="button"
                  className="fl-Link"
                  data-fl-action="open"
                  onClick={() => props.onOpenRun(run.id)}
                >
                  {run.label}
                </button>
                <span className="fl-CompareTable-state">
                  <StateIcon state={run.state} trans={trans} silent />
                  {stateLabel(run.state, trans)}
                </span>
                <span className="fl-CompareTable-verbs">
                  {place === 0 ? (
                    <span className="fl-CompareTable-baseline">{trans.__('Baseline')}</span>
                  ) : (
                    <button
                      type="button"
                      className="fl-Link"
                      data-fl-action="baseline"
                      aria-label={trans.__('Make %1 the baseline', run.label)}
                      onClick={() => props.onBaseline(run.id)}
                    >
                      {trans.__('Make baseline')}
                    </button>
                  )}
                  {props.onRemove && (
                    <button
                      type="button"
                      className="fl-Link"
                      data-fl-action="leave-out"
                      aria-label={trans.__('Leave out %1', run.label)}
                      onClick={() => props.onRemove?.(run.id)}
                    >
                      {trans.__('Leave out')}
                    </button>
                  )}
                </span>
              </th>
            ))}
          </tr>
        </thead>
        <Group name="parameters" title={trans.__('Parameters')} columns={found.runs.length}>
          {parameters.map(row => (
            <ValueRow key={row.name} row={row} text={valueText} />
          ))}
        </Group>
        <Group name="metrics" title={trans.__('Metrics')} columns={found.runs.length}>
          {metrics.map(row => (
            <ValueRow
              key={row.name}
              row={row}
              text={value => (typeof value === 'number' ? metric(row.name, value) : valueText(value))}
            />
          ))}
        </Group>
        <Group name="artifacts" title={trans.__('Artifacts')} columns={found.runs.length}>
          {artifacts.map(row => (
            <ArtifactRow
              key={`${row.task}.${row.name}`}
              row={row}
              runs={found.runs.map(run => run.label)}
              onOpen={props.onOpenArtifact}
              trans={trans}
            />
          ))}
        </Group>
      </table>
    </div>
  );
}

/** Rows under a title; nothing where there are none. */
function Group(props: {
  name: string;
  title: string;
  columns: number;
  children: JSX.Element[];
}): JSX.Element | null {
  return props.children.length ? (
    <tbody data-fl-group={props.name}>
      <tr>
        <th scope="rowgroup" colSpan={props.columns + 1} className="fl-CompareTable-group">
          {props.title}
        </th>
      </tr>
      {props.children}
    </tbody>
  ) : null;
}

function ValueRow({ row, text }: { row: IComparedRow; text: (value: unknown) => string }): JSX.Element {
  return (
    <tr data-fl-row={row.name} data-fl-differs={row.differs}>
      <th scope="row">{row.name}</th>
      {row.values.map((value, place) => (
        <td
          key={place}
          className={typeof value === 'number' ? 'fl-mod-number' : ''}
          title={value === null ? undefined : valueText(value)}
        >
          {value === null ? '–' : text(value)}
        </td>
      ))}
    </tr>
  );
}

function ArtifactRow(props: {
  row: IComparedArtifact;
  /** Labels of the runs. */
  runs: readonly string[];
  onOpen: (id: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { row, runs, trans } = props;
  const name = `${row.task}.${row.name}`;
  return (
    <tr data-fl-row={name}>
      <th scope="row" title={row.type}>
        {name}
      </th>
      {row.values.map((value, place) => (
        <td key={place} title={value?.uri}>
          {value === null ? (
            '–'
          ) : value.id ? (
            <button
              type="button"
              className="fl-Link"
              aria-label={trans.__('%1 of %2', name, runs[place])}
              onClick={() => props.onOpen(value.id)}
            >
              {bytes(value.size) || row.type}
            </button>
          ) : (
            bytes(value.size) || row.type
          )}
        </td>
      ))}
    </tr>
  );
}
