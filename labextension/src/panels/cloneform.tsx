/**
 * A run once more, with other values: its form, and beside it the request that will be sent.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import type { IClone, IDraft, IExperiment } from '../api/runtypes';
import type { INode, IRunSummary } from '../api/types';
import { Labelled } from '../components/Labelled';
import { ParameterForm } from '../components/ParameterForm';
import { FormValues, initialValues, parseAll } from '../components/parameters';
import type { ITrans } from '../components/text';
import type { Highlight } from './notebookview';
import { RequestView } from './requestview';
import { FailureText, FormVerbs, Loading, NameAndExperiment, usePreview, wordsOf } from './runform';

export interface ICloneOptions {
  run: string;
  /** Id of the step from which on nothing is taken from the cache; empty: caching as the pipeline has it. */
  node: string;
  client: FairleadClient;
  highlight: Highlight;
  /** Why nothing can be started; empty where it can. */
  refusal: () => string;
  onStarted: (run: IRunSummary) => void;
  onCancel: () => void;
  trans: ITrans;
}

interface ILoaded {
  draft: IDraft;
  experiments: IExperiment[];
  steps: INode[];
}

export class CloneForm extends ReactWidget {
  constructor(readonly options: ICloneOptions) {
    super();
    this.addClass('fl-CloneForm');
    this.addClass('fl-theme');
    this.node.dataset.flClone = options.run;
    this.node.tabIndex = -1;
  }

  protected override render(): JSX.Element {
    const { options } = this;
    return (
      <Loading read={() => read(options)} trans={options.trans}>
        {loaded => <Form {...options} {...loaded} />}
      </Loading>
    );
  }
}

async function read({ client, run }: ICloneOptions): Promise<ILoaded> {
  const [draft, experiments, detail] = await Promise.all([
    client.draft(run),
    // Where experiments may not be seen, the run's own is kept.
    client.experiments().catch(() => []),
    client.run(run)
  ]);
  return { draft, experiments, steps: detail.graph.nodes.filter(isStepOfSpec) };
}

/** Iterations are of the run; the pipeline has one body for all. */
function isStepOfSpec(node: INode): boolean {
  return node.iteration === null && !/\.\d+\./.test(node.id);
}

function Form(props: ICloneOptions & ILoaded): JSX.Element {
  const { client, run, draft, experiments, steps, trans } = props;
  const [name, setName] = React.useState(draft.name);
  const [experiment, setExperiment] = React.useState(draft.experiment_id);
  const [node, setNode] = React.useState(props.node);
  const [values, setValues] = React.useState<FormValues>(() => initialValues(draft.parameters));
  const [busy, setBusy] = React.useState(false);

  const parsed = parseAll(draft.parameters, values, trans);
  const valid = Object.keys(parsed.errors).length === 0 && name.trim() !== '';
  const clone: IClone = {
    name: name.trim(),
    experiment_id: experiment,
    parameters: parsed.values,
    rerun_from: node
  };
  const { preview, failure, setFailure } = usePreview(clone, valid, wish => client.previewClone(run, wish));

  const why = props.refusal();
  const start = async (): Promise<void> => {
    setBusy(true);
    try {
      props.onStarted(await client.clone(run, clone));
    } catch (error) {
      setBusy(false);
      setFailure(error instanceof Error ? error : new Error(String(error)));
    }
  };
  return (
    <form
      className="fl-CloneForm-form"
      onSubmit={event => {
        event.preventDefault();
        if (valid && !why && !busy) {
          void start();
        }
      }}
    >
      <div className="fl-CloneForm-fields">
        <h2 className="fl-CloneForm-title">{trans.__('Clone of %1', draft.name)}</h2>
        {draft.pipeline && <p className="fl-FormField-help">{trans.__('Pipeline %1', draft.pipeline)}</p>}
        <NameAndExperiment
          id="fl-clone"
          name={name}
          experiment={experiment}
          experiments={experiments}
          onName={setName}
          onExperiment={setExperiment}
          trans={trans}
        />
        <Labelled id="fl-clone-from" label={trans.__('Run anew from')}>
          <select
            className="fl-Input"
            id="fl-clone-from"
            data-fl-input="rerun-from"
            value={node}
            onChange={event => setNode(event.target.value)}
          >
            <option value="">{trans.__('what has changed')}</option>
            {node && !steps.some(step => step.id === node) && <option value={node}>{node}</option>}
            {steps.map(step => (
              <option key={step.id} value={step.id}>
                {step.id}
              </option>
            ))}
          </select>
        </Labelled>
        <p className="fl-FormField-help">
          {node
            ? trans.__(
                'This step and all after it run; what is before them is taken from the cache where it can be.'
              )
            : trans.__(
                'Steps whose code and inputs are the same are taken from the cache, where caching is on.'
              )}
        </p>
        {node && preview?.runs_again?.length ? (
          <p className="fl-FormField-help" role="status" data-fl-fact="runs-again">
            {runsAgain(preview.runs_again, trans)}
          </p>
        ) : null}
        <h3 className="fl-Overview-sub">{trans.__('Parameters')}</h3>
        <ParameterForm
          parameters={draft.parameters}
          values={values}
          errors={parsed.errors}
          id="fl-clone-parameter"
          onChange={(parameter, text) => setValues(before => ({ ...before, [parameter]: text }))}
          trans={trans}
        />
        {failure && <FailureText name="clone" text={wordsOf(failure)} />}
        <FormVerbs
          verb={trans.__('Start')}
          action="start"
          disabled={!valid || busy || why !== ''}
          title={why}
          onCancel={props.onCancel}
          trans={trans}
        />
      </div>
      <RequestView preview={preview} stale={!valid} highlight={props.highlight} trans={trans} />
    </form>
  );
}

/** Which steps run although they come before the one to begin at. */
export function runsAgain(steps: readonly string[], trans: ITrans): string {
  return trans._n(
    'Caching is off for %2: it runs again, too.',
    'Caching is off for %1 steps, which run again, too: %2',
    steps.length,
    steps.join(', ')
  );
}
