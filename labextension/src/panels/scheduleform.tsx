/**
 * A notebook or a run again and again: its form with the next times, and beside it the request that
 * will be sent.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import { ApiError } from '../api/errors';
import type {
  IRecurringPreview,
  IRecurringRun,
  IRecurringWish,
  RecurringOrigin
} from '../api/recurringtypes';
import type { IDraft, IExperiment } from '../api/runtypes';
import { Labelled } from '../components/Labelled';
import { Message } from '../components/Message';
import { ParameterForm } from '../components/ParameterForm';
import { FormValues, initialValues, parseAll } from '../components/parameters';
import type { ITrans } from '../components/text';
import { initialTiming, timingOf, timingProblem } from '../components/timing';
import { TimingForm } from '../components/TimingForm';
import { Upcoming } from '../components/Upcoming';
import type { Highlight } from './notebookview';
import { RequestView } from './requestview';

/** How long one may type before the times and the request are asked for anew. */
const PAUSE_MS = 250;

export interface IScheduleOptions {
  /** A run's id, or empty for a notebook. */
  run: string;
  /** A notebook's path, or empty for a run. */
  path: string;
  /** Where the pipeline comes from, as it is now. */
  origin: () => RecurringOrigin;
  client: FairleadClient;
  /** What the time zone is at first; empty where the server takes none. */
  timeZone: string;
  highlight: Highlight;
  /** Why nothing can be made; empty where it can. */
  refusal: () => string;
  onMade: (made: IRecurringRun) => void;
  onCancel: () => void;
  trans: ITrans;
}

export class ScheduleForm extends ReactWidget {
  constructor(readonly options: IScheduleOptions) {
    super();
    this.addClass('fl-CloneForm');
    this.addClass('fl-theme');
    this.node.dataset.flSchedule = options.run || options.path;
    this.node.tabIndex = -1;
  }

  protected override render(): JSX.Element {
    return <Loading {...this.options} />;
  }
}

interface ILoaded {
  draft: IDraft;
  experiments: IExperiment[];
}

function Loading(props: IScheduleOptions): JSX.Element {
  const { client, trans } = props;
  const [loaded, setLoaded] = React.useState<ILoaded | Error | null>(null);
  const [tries, setTries] = React.useState(0);
  React.useEffect(() => {
    let shown = true;
    Promise.all([
      client.recurring.draft(props.origin()),
      // Where experiments may not be seen, the default one is taken.
      client.experiments().catch(() => [])
    ]).then(
      ([draft, experiments]) => shown && setLoaded({ draft, experiments }),
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
    const again = { label: trans.__('Try again'), name: 'refresh', run: () => setTries(tries + 1) };
    return <Message kind="error" text={loaded.message} hint={hintOf(loaded)} action={again} />;
  }
  return <Form {...props} {...loaded} />;
}

function Form(props: IScheduleOptions & ILoaded): JSX.Element {
  const { client, draft, experiments, trans } = props;
  const [name, setName] = React.useState(draft.name);
  const [experiment, setExperiment] = React.useState(draft.experiment_id);
  const [timing, setTiming] = React.useState(() => initialTiming(props.timeZone));
  const [values, setValues] = React.useState<FormValues>(() => initialValues(draft.parameters));
  const [preview, setPreview] = React.useState<IRecurringPreview | null>(null);
  const [failure, setFailure] = React.useState<Error | null>(null);
  const [busy, setBusy] = React.useState(false);

  const parsed = parseAll(draft.parameters, values, trans);
  const problem = timingProblem(timing, trans);
  const valid = Object.keys(parsed.errors).length === 0 && name.trim() !== '' && problem === '';
  const wish = JSON.stringify({
    ...timingOf(timing),
    name: name.trim(),
    experiment_id: experiment,
    parameters: parsed.values
  });
  React.useEffect(() => {
    if (!valid) {
      return;
    }
    let shown = true;
    const timer = setTimeout(() => {
      client.recurring.preview(props.origin(), JSON.parse(wish) as IRecurringWish).then(
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
  const ready = valid && failure === null && !busy && !why;
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      props.onMade(await client.recurring.create(props.origin(), JSON.parse(wish) as IRecurringWish));
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
        if (ready) {
          void make();
        }
      }}
    >
      <div className="fl-CloneForm-fields">
        <h2 className="fl-CloneForm-title">{trans.__('Run %1 again and again', draft.name)}</h2>
        <p className="fl-FormField-help">
          {props.run
            ? trans.__('The pipeline of this run.')
            : trans.__('The notebook as it is now: after a change, schedule it again.')}
        </p>
        <TimingForm
          values={timing}
          id="fl-schedule"
          onChange={changed => setTiming(before => ({ ...before, ...changed }))}
          trans={trans}
        />
        <h3 className="fl-Overview-sub">{trans.__('Next runs')}</h3>
        <div aria-live="polite" data-fl-stale={!valid || failure !== null}>
          {problem || failure ? (
            <div className="fl-Error" role="alert" data-fl-error="schedule">
              <pre className="fl-Error-text">
                {problem || [failure?.message, hintOf(failure)].filter(Boolean).join('\n')}
              </pre>
            </div>
          ) : (
            preview && <Upcoming times={preview.next} zone={preview.time_zone} trans={trans} />
          )}
        </div>
        <Labelled id="fl-schedule-name" label={trans.__('Name')}>
          <input
            type="text"
            className="fl-Input"
            id="fl-schedule-name"
            data-fl-input="name"
            required
            value={name}
            onChange={event => setName(event.target.value)}
          />
        </Labelled>
        <Labelled id="fl-schedule-experiment" label={trans.__('Experiment')}>
          <select
            className="fl-Input"
            id="fl-schedule-experiment"
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
        <h3 className="fl-Overview-sub">{trans.__('Parameters')}</h3>
        <ParameterForm
          parameters={draft.parameters}
          values={values}
          errors={parsed.errors}
          id="fl-schedule-parameter"
          onChange={(parameter, text) => setValues(before => ({ ...before, [parameter]: text }))}
          trans={trans}
        />
        {draft.parameters.some(one => one.type === 'STRING') && (
          <p className="fl-FormField-help">
            {trans.__(
              'In texts, [[ScheduledTime]], [[CurrentTime]], [[Index]] and [[RunUUID]] are replaced.'
            )}
          </p>
        )}
        <div className="fl-CloneForm-verbs">
          <button type="button" className="jp-mod-styled jp-mod-reject" onClick={props.onCancel}>
            {trans.__('Cancel')}
          </button>
          <button
            type="submit"
            className="jp-mod-styled jp-mod-accept"
            data-fl-action="make"
            disabled={!ready}
            title={why}
          >
            {trans.__('Schedule')}
          </button>
        </div>
      </div>
      <RequestView
        preview={preview}
        stale={!valid || failure !== null}
        highlight={props.highlight}
        trans={trans}
      />
    </form>
  );
}

function hintOf(error: Error | null): string {
  return error instanceof ApiError ? error.hint : '';
}
