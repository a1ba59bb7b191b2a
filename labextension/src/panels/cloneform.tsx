/**
 * A run once more, with other values: its form, and beside it the request that will be sent.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import { ApiError } from '../api/errors';
import type { IClone, IDraft, IExperiment, IRequestText } from '../api/runtypes';
import type { INode, IRunSummary } from '../api/types';
import { Labelled } from '../components/Labelled';
import { Message } from '../components/Message';
import { ParameterForm } from '../components/ParameterForm';
import { FormValues, initialValues, parseAll } from '../components/parameters';
import type { ITrans } from '../components/text';
import type { Highlight } from './notebookview';
import { RequestView } from './requestview';

/** How long one may type before the request is written anew. */
const PAUSE_MS = 250;

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
    return <Loading {...this.options} />;
  }
}

function Loading(props: ICloneOptions): JSX.Element {
  const { client, run, trans } = props;
  const [loaded, setLoaded] = React.useState<ILoaded | Error | null>(null);
  const [tries, setTries] = React.useState(0);
  React.useEffect(() => {
    let shown = true;
    Promise.all([
      client.draft(run),
      // Where experiments may not be seen, the run's own is kept.
      client.experiments().catch(() => []),
      client.run(run)
    ]).then(
      ([draft, experiments, detail]) =>
        shown && setLoaded({ draft, experiments, steps: detail.graph.nodes.filter(isStepOfSpec) }),
      (error: Error) => shown && setLoaded(error)
    );
    return () => {
      shown = false;
    };
  }, [tries]);
  if (loaded === null) {
    return <Message kind="loading" text={trans.__('Loading…')} />;
  }
  if (loaded instanceof Error) {
    const hint = loaded instanceof ApiError ? loaded.hint : '';
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => setTries(tries + 1) };
    return <Message kind="error" text={loaded.message} hint={hint} action={again} />;
  }
  return <Form {...props} {...loaded} />;
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
  const [preview, setPreview] = React.useState<IRequestText | null>(null);
  const [failure, setFailure] = React.useState<Error | null>(null);
  const [busy, setBusy] = React.useState(false);

  const parsed = parseAll(draft.parameters, values, trans);
  const valid = Object.keys(parsed.errors).length === 0 && name.trim() !== '';
  const clone: IClone = {
    name: name.trim(),
    experiment_id: experiment,
    parameters: parsed.values,
    rerun_from: node
  };
  const wish = JSON.stringify(clone);
  React.useEffect(() => {
    if (!valid) {
      return;
    }
    let shown = true;
    const timer = setTimeout(() => {
      client.previewClone(run, JSON.parse(wish) as IClone).then(
        found => {
          if (shown) {
            setPreview(found);
            setFailure(null);
          }
        },
        (error: Error) => shown && setFailure(error)
      );
    }, PAUSE_MS);
    return () => {
      shown = false;
      clearTimeout(timer);
    };
  }, [wish, valid]);

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
  const known = experiments.some(one => one.id === experiment);
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
        <Labelled id="fl-clone-name" label={trans.__('Name')}>
          <input
            type="text"
            className="fl-Input"
            id="fl-clone-name"
            data-fl-input="name"
            required
            value={name}
            onChange={event => setName(event.target.value)}
          />
        </Labelled>
        <Labelled id="fl-clone-experiment" label={trans.__('Experiment')}>
          <select
            className="fl-Input"
            id="fl-clone-experiment"
            data-fl-input="experiment"
            value={experiment}
            onChange={event => setExperiment(event.target.value)}
          >
            {!known && <option value={experiment}>{experiment || trans.__('Default')}</option>}
            {experiments.map(one => (
              <option key={one.id} value={one.id}>
                {one.name}
              </option>
            ))}
          </select>
        </Labelled>
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
        {failure && (
          <div className="fl-Error" role="alert" data-fl-error="clone">
            <pre className="fl-Error-text">
              {[failure.message, failure instanceof ApiError ? failure.hint : ''].filter(Boolean).join('\n')}
            </pre>
          </div>
        )}
        <div className="fl-CloneForm-verbs">
          <button type="button" className="jp-mod-styled jp-mod-reject" onClick={props.onCancel}>
            {trans.__('Cancel')}
          </button>
          <button
            type="submit"
            className="jp-mod-styled jp-mod-accept"
            data-fl-action="start"
            disabled={!valid || busy || why !== ''}
            title={why}
          >
            {trans.__('Start')}
          </button>
        </div>
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
