/**
 * The right side of the run view: one step in detail, and the run's manifest.
 */
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { ReactWidget, UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { INode } from '../api/types';
import { ArtifactPreview } from '../components/artifact/ArtifactPreview';
import { Message } from '../components/Message';
import { IStepPort, Overview } from '../components/Overview';
import { IPortVerbs, Ports } from '../components/Ports';
import { isActive } from '../components/states';
import { TabBar, TabPanel } from '../components/Tabs';
import type { ITrans } from '../components/text';
import type { RunModel } from '../model/run';
import type { FairleadSession } from '../model/session';
import { LogPane } from './logpane';
import { mimeDrawer } from './mimehost';
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
  onOpenArtifact: (artifact: string) => void;
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
          {panel(
            'logs',
            <LogPane
              // A new stream is due for another step or another start only.
              source={`${run.id} ${step.id} ${step.pod ?? ''} ${step.started_at ?? ''}`}
              begun={step.started_at !== null || !isActive(step.state)}
              live={isActive(step.state)}
              read={options => client.log(run.id, step.id, options)}
              empty={step.cached ? 'cached' : 'empty'}
              feed={runFeed}
              trans={trans}
            />
          )}
          {panel(
            'io',
            <Ports
              key={step.id}
              inputs={step.inputs}
              outputs={step.outputs}
              trans={trans}
              verbs={portVerbs(props, run.id, step)}
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
        <ManifestPane
          version={run.id}
          read={() => client.manifest(run.id)}
          highlight={props.highlight}
          trans={trans}
        />
      )}
    </>
  );
}

/** A server that tells no ids of artifacts knows what a step made by the step and the name. */
function portVerbs(props: IInspectorOptions, run: string, step: INode): IPortVerbs {
  const { client } = props.session;
  const node = step.task_id ?? step.id;
  const idOf = (port: IStepPort, place: number): string => port.artifacts?.[place]?.artifact_id ?? '';
  return {
    open: props.onOpenArtifact,
    download: (port, place) => {
      const id = idOf(port, place);
      return id ? client.contentUrl(id) : client.artifactUrl(run, node, port.name);
    },
    preview: (port, place, name) => {
      const id = idOf(port, place);
      return (
        <ArtifactPreview
          name={name}
          version={`${id} ${node} ${port.name} ${step.state}`}
          read={() => (id ? client.preview(id) : client.outputPreview(run, node, port.name))}
          draw={mimeDrawer(props.rendermime, props.highlight)}
          trans={props.trans}
        />
      );
    }
  };
}
