/**
 * A notebook or a run again and again: its form with the next times, and beside it the request that
 * will be sent.
 */
import { ReactWidget } from '@jupyterlab/ui-components';
import * as React from 'react';

import type { FairleadClient } from '../api/client';
import type { IRecurringRun, IRecurringWish, RecurringOrigin } from '../api/recurringtypes';
import type { IDraft, IExperiment } from '../api/runtypes';
import { ParameterForm } from '../components/ParameterForm';
import { FormValues, initialValues, parseAll } from '../components/parameters';
import { Remarks } from '../components/Remarks';
import type { ITrans } from '../components/text';
import { initialTiming, timingOf, timingProblem } from '../components/timing';
import { TimingForm } from '../components/TimingForm';
import { Upcoming } from '../components/Upcoming';
import type { Highlight } from './notebookview';
import { RequestView } from './requestview';
import { FailureText, FormVerbs, Loading, NameAndExperiment, usePreview, wordsOf } from './runform';

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
    const { options } = this;
    return (
      <Loading read={() => read(options)} trans={options.trans}>
        {loaded => <Form {...options} {...loaded} />}
      </Loading>
    );
  }
}

interface ILoaded {
  draft: IDraft;
  experiments: IExperiment[];
}

async function read({ client, origin }: IScheduleOptions): Promise<ILoaded> {
  const [draft, experiments] = await Promise.all([
    client.recurring.draft(origin()),
    // Where experiments may not be seen, the default one is taken.
    client.experiments().catch(() => [])
  ]);
  return { draft, experiments };
}

function Form(props: IScheduleOptions & ILoaded): JSX.Element {
  const { client, draft, experiments, trans } = props;
  const [name, setName] = React.useState(draft.name);
  const [experiment, setExperiment] = React.useState(draft.experiment_id);
  const [timing, setTiming] = React.useState(() => initialTiming(props.timeZone));
  const [values, setValues] = React.useState<FormValues>(() => initialValues(draft.parameters));
  const [busy, setBusy] = React.useState(false);

  const parsed = parseAll(draft.parameters, values, trans);
  const problem = timingProblem(timing, trans);
  const valid = Object.keys(parsed.errors).length === 0 && name.trim() !== '' && problem === '';
  const wish: IRecurringWish = {
    ...timingOf(timing),
    name: name.trim(),
    experiment_id: experiment,
    parameters: parsed.values
  };
  const { preview, failure, setFailure } = usePreview(wish, valid, asked =>
    client.recurring.preview(props.origin(), asked)
  );

  const why = props.refusal();
  const ready = valid && failure === null && !busy && !why;
  const make = async (): Promise<void> => {
    setBusy(true);
    try {
      props.onMade(await client.recurring.create(props.origin(), wish));
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
        <Remarks texts={draft.warnings} trans={trans} />
        <TimingForm
          values={timing}
          id="fl-schedule"
          onChange={changed => setTiming(before => ({ ...before, ...changed }))}
          trans={trans}
        />
        <h3 className="fl-Overview-sub">{trans.__('Next runs')}</h3>
        <div aria-live="polite" data-fl-stale={!valid || failure !== null}>
          {problem || failure ? (
            <FailureText name="schedule" text={problem || (failure ? wordsOf(failure) : '')} />
          ) : (
            preview && <Upcoming times={preview.next} zone={preview.time_zone} trans={trans} />
          )}
        </div>
        <NameAndExperiment
          id="fl-schedule"
          name={name}
          experiment={experiment}
          experiments={experiments}
          onName={setName}
          onExperiment={setExperiment}
          trans={trans}
        />
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
        <FormVerbs
          verb={trans.__('Schedule')}
          action="make"
          disabled={!ready}
          title={why}
          onCancel={props.onCancel}
          trans={trans}
        />
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
