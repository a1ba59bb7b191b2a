import { closeIcon, LabIcon, launchIcon, refreshIcon, stopIcon } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Age, Elapsed } from './Elapsed';
import { mainMetric, metric } from './format';
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

/** The list of runs. One row is in the tab order; arrows go to the others and to the row's verbs. */
export function RunList(props: {
  runs: readonly IRunRow[];
  onVerb: (verb: RunVerb, id: string) => void;
  /** Show all there are: the list has the newest only. */
  onAll: () => void;
  refusal: Refusal;
  trans: ITrans;
}): JSX.Element {
  const { runs, trans } = props;
  const [current, setCurrent] = React.useState<string | null>(null);
  const list = React.useRef<HTMLUListElement>(null);
  const shown = runs.slice(0, FIRST_ROWS);
  const stop = shown.some(run => run.id === current) ? current : (shown[0]?.id ?? null);

  const onKeyDown = (event: React.KeyboardEvent): void => {
    const row = (event.target as Element).closest<HTMLElement>('.fl-RunRow');
    const next = row && neighbour(row, event);
    if (next) {
      setCurrent(next.closest<HTMLElement>('.fl-RunRow')?.dataset.flRun ?? null);
      next.focus();
      event.preventDefault();
    } else if (row?.dataset.flRun && event.key === 'Delete' && !props.refusal('delete')) {
      props.onVerb('delete', row.dataset.flRun);
      event.preventDefault();
    }
  };
  return (
    <>
      <ul className="fl-RunList" ref={list} aria-label={trans.__('Runs')} onKeyDown={onKeyDown}>
        {shown.map(run => (
          <RunRow
            key={run.id}
            run={run}
            trans={trans}
            inTabOrder={run.id === stop}
            onVerb={props.onVerb}
            refusal={props.refusal}
            onFocus={() => setCurrent(run.id)}
          />
        ))}
      </ul>
      {runs.length >= FIRST_ROWS && (
        <button type="button" className="fl-RunList-more" data-fl-action="more" onClick={props.onAll}>
          {trans.__('Show all runs')}
        </button>
      )}
    </>
  );
}

/** Where a key leads: to the row above or below, or along the buttons of a row. */
function neighbour(row: HTMLElement, event: React.KeyboardEvent): HTMLElement | null {
  const main = (of: Element | null): HTMLElement | null => of?.querySelector('.fl-RunRow-main') ?? null;
  const buttons = [...row.querySelectorAll<HTMLElement>('button')];
  const here = buttons.indexOf(event.target as HTMLElement);
  switch (event.key) {
    case 'ArrowDown':
      return main(row.nextElementSibling);
    case 'ArrowUp':
      return main(row.previousElementSibling);
    case 'ArrowRight':
      return buttons[here + 1] ?? null;
    case 'ArrowLeft':
      return buttons[here - 1] ?? null;
    default:
      return null;
  }
}

interface IRunRowProps {
  run: IRunRow;
  trans: ITrans;
  inTabOrder: boolean;
  onVerb: (verb: RunVerb, id: string) => void;
  refusal: Refusal;
  onFocus: () => void;
}

function RunRow({ run, trans, inTabOrder, onVerb, refusal, onFocus }: IRunRowProps): JSX.Element {
  const live = isActive(run.state);
  const state = stateLabel(run.state, trans);
  const shownMetric = mainMetric(run.metrics);
  const verb = (name: RunVerb, icon: LabIcon, label: string): JSX.Element => (
    <button
      type="button"
      className="fl-RunRow-verb"
      data-fl-action={name}
      tabIndex={inTabOrder ? 0 : -1}
      aria-label={trans.__('%1 %2', label, run.name)}
      aria-disabled={refusal(name) !== ''}
      title={refusal(name) || label}
      onClick={() => refusal(name) || onVerb(name, run.id)}
    >
      <icon.react tag="span" />
    </button>
  );
  return (
    <li
      className="fl-RunRow"
      data-fl-run={run.id}
      data-fl-name={run.name}
      data-fl-state={stateKey(run.state)}
      onFocus={onFocus}
    >
      <button
        type="button"
        className="fl-RunRow-main"
        tabIndex={inTabOrder ? 0 : -1}
        title={[run.name, state, run.waits_for, run.error].filter(Boolean).join('\n')}
        onClick={() => onVerb('open', run.id)}
      >
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
      </button>
      <span className="fl-RunRow-verbs" role="group" aria-label={trans.__('Actions')}>
        {verb('open', launchIcon, trans.__('Open'))}
        {live && verb('stop', stopIcon, trans.__('Stop'))}
        {canRetry(run.state) && verb('retry', refreshIcon, trans.__('Retry'))}
        {verb('delete', closeIcon, trans.__('Delete'))}
      </span>
    </li>
  );
}
