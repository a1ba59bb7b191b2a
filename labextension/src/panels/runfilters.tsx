/**
 * What the table of runs is filtered by.
 */
import * as React from 'react';

import type { IExperiment } from '../api/runtypes';
import { CheckFilter, Choice, ChoiceFilter, Filters, NameFilter } from '../components/Filters';
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

export function RunFilters(props: {
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
  const state =
    Object.keys(STATE_CHOICES).find(choice => STATE_CHOICES[choice].join() === filter.states.join()) ?? 'all';
  return (
    <Filters label={trans.__('Filter runs')}>
      <NameFilter name="name" placeholder={trans.__('Filter by name')} value={name} onChange={setName} />
      <ChoiceFilter
        name="state"
        label={trans.__('State')}
        value={state}
        choices={Object.entries(words)}
        onChange={choice => model.setFilter({ states: STATE_CHOICES[choice] })}
      />
      <ChoiceFilter
        name="experiment"
        label={trans.__('Experiment')}
        value={filter.experiment}
        choices={[
          ['', trans.__('All experiments')],
          ...props.experiments.map((one): Choice => [one.id, one.name])
        ]}
        onChange={experiment => model.setFilter({ experiment })}
      />
      <CheckFilter
        name="archived"
        label={trans.__('Archived')}
        checked={filter.archived}
        onChange={archived => model.setFilter({ archived })}
      />
    </Filters>
  );
}
