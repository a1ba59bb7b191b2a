/**
 * The sidebar's section of training jobs.
 */
import { UseSignal } from '@jupyterlab/ui-components';
import * as React from 'react';

import { JobList, JobVerb } from '../components/JobList';
import { Message } from '../components/Message';
import { Section } from '../components/Section';
import type { ITrans } from '../components/text';
import { Trouble } from '../components/Trouble';
import type { ContextModel } from '../model/context';
import type { TrainingModel } from '../model/training';
import { suspendIcon } from './icons';
import { jobRefusal } from './refusals';

const KINDS = ['PyTorchJob', 'TrainJob', 'TFJob', 'XGBoostJob', 'JAXJob', 'MPIJob', 'PaddleJob', 'MXJob'];

export interface ITrainingSectionProps {
  training: TrainingModel;
  context: ContextModel;
  folded: boolean;
  onFold: (folded: boolean) => void;
  onVerb: (verb: JobVerb, uid: string) => void;
  trans: ITrans;
}

export function TrainingSection(props: ITrainingSectionProps): JSX.Element {
  const { training, context, trans } = props;
  const known = KINDS.map(kind => context.capability(kind)).filter(one => one !== null);
  const none = known.length > 0 && known.every(one => !one.available);
  return (
    <UseSignal signal={training.changed}>
      {() => (
        <Section
          name="training"
          title={trans.__('Training')}
          summary={
            training.active
              ? trans._n('%1 running', '%1 running', training.active)
              : String(training.jobs.length || '')
          }
          missing={none ? trans.__('This cluster serves no kind of training job.') : ''}
          folded={props.folded}
          onFold={props.onFold}
        >
          <Jobs {...props} />
        </Section>
      )}
    </UseSignal>
  );
}

function Jobs({ training, context, onVerb, trans }: ITrainingSectionProps): JSX.Element {
  const { jobs, health, ready } = training;
  const trouble = !context.stale && (health.health === 'reconnecting' || health.health === 'error') && (
    <Trouble
      kind={health.health}
      text={trans.__('Training jobs are not followed now.')}
      why={health.message}
      hint={health.hint}
    />
  );
  return (
    <>
      {trouble}
      {jobs.length > 0 && (
        <JobList
          jobs={jobs}
          suspendIcon={suspendIcon}
          onVerb={onVerb}
          refusal={(verb, kind) => jobRefusal(context, verb, kind)}
          trans={trans}
        />
      )}
      {!jobs.length && ready && (
        <Message
          kind="empty"
          text={trans.__('No training jobs yet.')}
          hint={trans.__(
            'fairlead.train(…) or %1 in a notebook starts one, or kubectl with any manifest.',
            // As a word of its own: within the text the two signs would be one.
            '%%train'
          )}
        />
      )}
      {!jobs.length && !ready && !trouble && <Message kind="loading" text={trans.__('Loading…')} />}
    </>
  );
}
