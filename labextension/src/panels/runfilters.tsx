/**
 * What the table of runs is filtered by.
 */
import * as React from 'react';

import type { IExperiment } from '../api/runtypes';
import type { ITrans } from '../components/text';
import type { RunTableModel } from '../model/runtable';

/** Not for every letter a question to the server. */
const PAUSE_MS = 250;

/** Choices of the state filter, each with the states that it stands for. */
const STATE_CHOICES: Record<string, readonly string[]> = {
  all: [],
  active: ['PENDING', 'RUNNING', 'CANCELING', 'PAUSED'],
  succeeded: ['SUCCEEDED'],
  failed: ['FAILED'],
  canceled: ['CANCELED', 'SKIPPED']
};

export function Filters(props: {
  model: RunTableModel;
  experiments: readonly IExperiment[];
  trans: ITrans;
}): JSX.Element {
  const { model, trans } = props;
  const { filter } = model;
  const [name, setName] = React.useState(filter.name);
  React.useEffect(() => {
    const timer = setTimeout(() => name !== model.filter.name && model.setFilter({ name }), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [name]);
  const words: Record<string, string> = {
    all: trans.__('All states'),
    active: trans.__('Active'),
    succeeded: trans.__('Succeeded'),
    failed: trans.__('Failed'),
    canceled: trans.__('Canceled')
  };
  const state = Object.keys(STATE_CHOICES).find(
    choice => STATE_CHOICES[choice].join() === filter.states.join()
  );
  return (
    <div className="fl-Filters" role="search" aria-label={trans.__('Filter runs')}>
      <input
        type="search"
        className="fl-Input"
        data-fl-filter="name"
        placeholder={trans.__('Filter by name')}
        aria-label={trans.__('Filter by name')}
        value={name}
        onChange={event => setName(event.target.value)}
      />
      <select
        className="fl-Input"
        data-fl-filter="state"
        aria-label={trans.__('State')}
        value={state}
        onChange={event => model.setFilter({ states: STATE_CHOICES[event.target.value] })}
      >
        {Object.entries(words).map(([choice, word]) => (
          <option key={choice} value={choice}>
            {word}
          </option>
        ))}
      </select>
      <select
        className="fl-Input"
        data-fl-filter="experiment"
        aria-label={trans.__('Experiment')}
        value={filter.experiment}
        onChange={event => model.setFilter({ experiment: event.target.value })}
      >
        <option value="">{trans.__('All experiments')}</option>
        {props.experiments.map(one => (
          <option key={one.id} value={one.id}>
            {one.name}
          </option>
        ))}
      </select>
      <label className="fl-Filters-check">
        <input
          type="checkbox"
          data-fl-filter="archived"
          checked={filter.archived}
          onChange={event => model.setFilter({ archived: event.target.checked })}
        />
        {trans.__('Archived')}
      </label>
    </div>
  );
}
