import * as React from 'react';

import { kindLabel } from './dag/nodes';
import type { IDagNode } from './dag/types';
import { Elapsed } from './Elapsed';
import { Choice, ChoiceFilter, Filters, NameFilter } from './Filters';
import { elapsedMs } from './format';
import { StateIcon } from './StateIcon';
import { isActive, stateKey, stateLabel } from './states';
import type { ITrans } from './text';
import { walkRows } from './walkrows';

export type StepSort = 'order' | 'name' | 'state' | 'duration';

/** Rows drawn at once; more are asked for. */
const FIRST_ROWS = 200;

/** The steps as a table: the graph for those who rather read. What is in a scope is told with its scope. */
export function StepTable(props: {
  steps: readonly IDagNode[];
  selected: string | null;
  onSelect: (id: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { steps, trans } = props;
  const [text, setText] = React.useState('');
  const [state, setState] = React.useState('');
  const [sort, setSort] = React.useState<{ by: StepSort; descending: boolean }>({
    by: 'order',
    descending: false
  });
  const [most, setMost] = React.useState(FIRST_ROWS);
  const states = [...new Set(steps.map(step => stateKey(step.state, step.cached)))].sort();
  const found = sorted(filtered(steps, text, state), sort.by, sort.descending);
  const head = (by: StepSort, label: string, className?: string): JSX.Element => {
    const current = sort.by === by;
    return (
      <th
        scope="col"
        className={className}
        aria-sort={current ? (sort.descending ? 'descending' : 'ascending') : 'none'}
      >
        <button
          type="button"
          className="fl-SortButton"
          data-fl-sort={by}
          // The third press gives the order of the pipeline back.
          onClick={() =>
            setSort(
              !current
                ? { by, descending: false }
                : sort.descending
                  ? { by: 'order', descending: false }
                  : { by, descending: true }
            )
          }
        >
          {label}
          <span className="fl-SortButton-mark" aria-hidden="true">
            {current ? (sort.descending ? '▾' : '▴') : ''}
          </span>
        </button>
      </th>
    );
  };
  return (
    <>
      <Filters label={trans.__('Filter steps')}>
        <NameFilter
          name="step"
          placeholder={trans.__('Filter steps')}
          label={trans.__('Filter steps by name')}
          value={text}
          onChange={setText}
        />
        <ChoiceFilter
          name="step-state"
          label={trans.__('State')}
          value={state}
          choices={[
            ['', trans.__('All states')],
            ...states.map((key): Choice => [key, stateLabel(key, trans)])
          ]}
          onChange={setState}
        />
        <span className="fl-Bulk-count" role="status" data-fl-fact="steps">
          {found.length === steps.length
            ? trans._n('%1 step', '%1 steps', steps.length)
            : trans.__('%1 of %2', found.length, steps.length)}
        </span>
      </Filters>
      <table className="fl-Table fl-StepTable" aria-label={trans.__('Steps')} onKeyDown={walkRows}>
        <thead>
          <tr>
            {head('name', trans.__('Step'))}
            {head('state', trans.__('State'))}
            {head('duration', trans.__('Duration'), 'fl-mod-number')}
          </tr>
        </thead>
        <tbody>
          {found.slice(0, most).map(step => (
            <Row key={step.id} {...props} step={step} />
          ))}
        </tbody>
      </table>
      {found.length > most && (
        <button
          type="button"
          className="fl-RunList-more"
          data-fl-action="more-steps"
          onClick={() => setMost(most + FIRST_ROWS)}
        >
          {trans._n('Show %1 more', 'Show %1 more', Math.min(FIRST_ROWS, found.length - most))}
        </button>
      )}
    </>
  );
}

function Row(props: {
  step: IDagNode;
  selected: string | null;
  onSelect: (id: string) => void;
  trans: ITrans;
}): JSX.Element {
  const { step, trans } = props;
  const kind = kindLabel(step.type, trans);
  return (
    <tr
      data-fl-step={step.id}
      data-fl-state={stateKey(step.state, step.cached)}
      aria-selected={step.id === props.selected}
      onClick={() => props.onSelect(step.id)}
    >
      <td>
        {step.parent && <span className="fl-StepTable-scope">{step.parent} › </span>}
        <button type="button" className="fl-Link" onClick={() => props.onSelect(step.id)}>
          {step.name}
        </button>
        {kind && <span className="fl-StepTable-scope"> {kind}</span>}
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
  );
}

function filtered(steps: readonly IDagNode[], text: string, state: string): IDagNode[] {
  const wanted = text.trim().toLowerCase();
  return steps.filter(
    step =>
      (!state || stateKey(step.state, step.cached) === state) &&
      (!wanted || step.name.toLowerCase().includes(wanted) || step.id.toLowerCase().includes(wanted))
  );
}

function sorted(steps: IDagNode[], by: StepSort, descending: boolean): IDagNode[] {
  const now = Date.now();
  const length = (step: IDagNode): number =>
    step.cached ? -1 : (elapsedMs(step.started_at, step.finished_at, now) ?? -1);
  const compare: Record<StepSort, (a: IDagNode, b: IDagNode) => number> = {
    order: () => 0,
    name: (a, b) => a.name.localeCompare(b.name, undefined, { numeric: true }),
    state: (a, b) => stateKey(a.state, a.cached).localeCompare(stateKey(b.state, b.cached)),
    duration: (a, b) => length(a) - length(b)
  };
  const ordered = steps.sort(compare[by]);
  return descending ? ordered.reverse() : ordered;
}
