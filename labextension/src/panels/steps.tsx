/**
 * The left side of the run view: the steps as a graph or as a table.
 */
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { DagView } from '../components/dag/DagView';
import { Folds } from '../components/dag/fold';
import { StepTable } from '../components/StepTable';
import { TabBar, TabPanel } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { RunModel } from '../model/run';

export interface IStepsOptions {
  model: RunModel;
  trans: ITrans;
  /** Enter on a step: go on to its details. */
  onOpen: () => void;
  /** Escape: leave the graph. */
  onLeave: () => void;
}

export class Steps extends ReactWidget {
  constructor(private readonly options: IStepsOptions) {
    super();
    this.addClass('fl-Steps');
  }

  protected override render(): JSX.Element {
    return <UseSignal signal={this.options.model.changed}>{() => <Content {...this.options} />}</UseSignal>;
  }
}

function Content({ model, trans, onOpen, onLeave }: IStepsOptions): JSX.Element {
  const [form, setForm] = React.useState('graph');
  const folds = React.useRef(new Folds());
  const run = model.run;
  if (!run) {
    return <></>;
  }
  const selected = model.selected?.id ?? null;
  const onSelect = (step: string): void => model.select(step);
  const id = `fl-steps-${run.id}`;
  const tabs = [
    { name: 'graph', label: trans.__('Graph') },
    { name: 'table', label: trans.__('Table') }
  ];
  return (
    <>
      <TabBar tabs={tabs} current={form} id={id} label={trans.__('Steps')} onChange={setForm} />
      <TabPanel name="graph" current={form} id={id}>
        <DagView
          graph={run.graph}
          selected={selected}
          folds={folds.current}
          onSelect={onSelect}
          onOpen={onOpen}
          onLeave={onLeave}
          trans={trans}
        />
      </TabPanel>
      <TabPanel name="table" current={form} id={id}>
        <StepTable steps={run.graph.nodes} selected={selected} onSelect={onSelect} trans={trans} />
      </TabPanel>
    </>
  );
}
