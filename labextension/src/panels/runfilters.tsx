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
  const [name, setName] = useTyped(filter.name, value => model.setFilter({ name: value }));
  const [label, setLabel] = useTyped(filter.label, value => model.setFilter({ label: value }));
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
      <NameFilter
        name="label"
        placeholder={trans.__('Label: team=vision')}
        label={trans.__('Filter by label')}
        value={label}
        onChange={setLabel}
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

/** What is typed, told when its writer pauses; it follows what the filter is set to elsewhere. */
function useTyped(current: string, tell: (value: string) => void): [string, (value: string) => void] {
  const [text, setText] = React.useState(current);
  React.useEffect(() => setText(current), [current]);
  React.useEffect(() => {
    const timer = setTimeout(() => text !== current && tell(text), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [text]);
  return [text, setText];
}
