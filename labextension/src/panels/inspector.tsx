/**
 * The right side of the run view: one step in detail, and the run's manifest.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { Message } from '../components/Message';
import { Overview } from '../components/Overview';
import { Ports } from '../components/Ports';
import { TabBar, TabPanel } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { RunModel } from '../model/run';
import type { FairleadSession } from '../model/session';
import { LogPane } from './logpane';
import type { Highlight } from './notebookview';
import { ManifestPane, NotebookPane } from './panes';

export interface IInspectorOptions {
  model: RunModel;
  session: FairleadSession;
  rendermime: IRenderMimeRegistry;
  highlight: Highlight;
  trans: ITrans;
  /** Bring a cell of the run's notebook into sight. */
  onRevealCell: (run: string, cellId: string, line: number | null) => void;
}

export class Inspector extends ReactWidget {
  constructor(private readonly options: IInspectorOptions) {
    super();
    this.addClass('fl-Inspector');
    this.node.dataset.flInspector = '';
  }

  /** Put the focus on the tab that is open. */
  focus(): void {
    this.node.querySelector<HTMLElement>('[role="tab"][aria-selected="true"]')?.focus();
  }

  protected override render(): JSX.Element {
    const { model } = this.options;
    return <UseSignal signal={model.changed}>{() => <Content {...this.options} />}</UseSignal>;
  }
}

function Content(props: IInspectorOptions): JSX.Element {
  const { model, session, trans } = props;
  const [tab, setTab] = React.useState('overview');
  const { client, runFeed } = session;
  const run = model.run;
  const step = model.selected;
  if (!run) {
    return <></>;
  }
  const tabs = [
    { name: 'overview', label: trans.__('Overview') },
    { name: 'logs', label: trans.__('Logs') },
    { name: 'io', label: trans.__('Inputs and outputs') },
    { name: 'notebook', label: trans.__('Notebook') },
    { name: 'manifest', label: trans.__('Manifest') }
  ];
  const id = `fl-inspector-${run.id}`;
  const panel = (name: string, children: React.ReactNode): JSX.Element => (
    <TabPanel name={name} current={tab} id={id}>
      {children}
    </TabPanel>
  );
  return (
    <>
      <TabBar tabs={tabs} current={tab} id={id} label={trans.__('Step')} onChange={setTab} />
      {!step && tab !== 'manifest' && <Message kind="empty" text={trans.__('Choose a step in the graph.')} />}
      {step && (
        <>
          {panel(
            'overview',
            <Overview
              step={step}
              trans={trans}
              onRevealCell={(cell, line) => props.onRevealCell(run.id, cell, line)}
              cellNumber={cell => session.cellNumber(cell)}
            />
          )}
          {panel('logs', <LogPane run={run.id} node={step} client={client} feed={runFeed} trans={trans} />)}
          {panel(
            'io',
            <Ports
              inputs={step.inputs}
              outputs={step.outputs}
              trans={trans}
              download={port =>
                port.kind === 'artifact' && port.uri ? client.artifactUrl(run.id, step.id, port.name) : null
              }
            />
          )}
          {panel(
            'notebook',
            <NotebookPane
              key={step.id}
              run={run.id}
              node={step}
              client={client}
              rendermime={props.rendermime}
              highlight={props.highlight}
              trans={trans}
            />
          )}
        </>
      )}
      {panel(
        'manifest',
        <ManifestPane run={run.id} client={client} highlight={props.highlight} trans={trans} />
      )}
    </>
  );
}
