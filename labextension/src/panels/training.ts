/**
 * Commands over training jobs, and the views that they open.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  InputDialog,
  MainAreaWidget,
  Notification,
  showDialog,
  WidgetTracker
} from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

import { ApiError } from '../api/errors';
import type { IJob } from '../api/trainingtypes';
import { CATEGORY, CommandIDs } from '../commands';
import type { JobVerb } from '../components/JobList';
import { isActive, stateLabel } from '../components/states';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { highlighter } from './highlight';
import { fairleadIcon } from './icons';
import { jobRefusal } from './refusals';
import type { Args } from './runs';
import { TrainingView } from './trainingview';

/** The command of each verb of a job. */
export const JOB_COMMAND_OF: Record<JobVerb, string> = {
  open: CommandIDs.openJob,
  suspend: CommandIDs.suspendJob,
  resume: CommandIDs.resumeJob,
  delete: CommandIDs.deleteJob
};

const ARGS = {
  args: {
    type: 'object',
    properties: {
      job: {
        type: 'string',
        description: 'Uid of the job; by default the current one, or one that is asked for.'
      }
    }
  }
};

export interface ITrainingPartOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  languages: IEditorLanguageRegistry | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
}

/** Add the commands over training jobs; their views come back after a reload. */
export function addTraining(options: ITrainingPartOptions): void {
  const { app, session, palette, restorer, trans } = options;
  const { commands } = app;
  const { training } = session;
  const views = new WidgetTracker<MainAreaWidget<TrainingView>>({ namespace: 'fairlead-job' });

  const named = (args: Args): string | null => {
    if (typeof args.job === 'string') {
      return args.job;
    }
    const current = app.shell.currentWidget;
    return current && views.has(current) ? (current as MainAreaWidget<TrainingView>).content.uid : null;
  };
  const add = (
    id: string,
    label: string,
    question: string,
    verb: JobVerb,
    among: (job: IJob) => boolean,
    act: (uid: string, job: IJob | null) => unknown
  ): void => {
    const suits = (args: Args): boolean => {
      const job = training.find(named(args) ?? '');
      return job === null || (among(job) && !jobRefusal(session.context, verb, job.kind));
    };
    commands.addCommand(id, {
      label,
      describedBy: ARGS,
      isEnabled: suits,
      execute: async args => {
        const uid = named(args) ?? (await choose(session, question, among, trans));
        return uid === null ? null : act(uid, training.find(uid));
      }
    });
    palette?.addItem({ command: id, category: CATEGORY });
  };

  add(
    CommandIDs.openJob,
    trans.__('Open Training Job'),
    trans.__('Open which job?'),
    'open',
    () => true,
    uid => {
      const view = views.find(one => one.content.uid === uid) ?? openView(options, uid);
      if (!view.isAttached) {
        void views.add(view);
        app.shell.add(view, 'main', { type: 'Fairlead training job' });
      }
      app.shell.activateById(view.id);
    }
  );
  add(
    CommandIDs.suspendJob,
    trans.__('Suspend Training Job'),
    trans.__('Suspend which job?'),
    'suspend',
    job => isActive(job.state),
    (_, job) =>
      job && tried(trans.__('The job was not suspended.'), session.client.training.suspend(job, true))
  );
  add(
    CommandIDs.resumeJob,
    trans.__('Resume Training Job'),
    trans.__('Resume which job?'),
    'resume',
    job => job.state === 'SUSPENDED',
    (_, job) =>
      job && tried(trans.__('The job was not resumed.'), session.client.training.suspend(job, false))
  );
  add(
    CommandIDs.deleteJob,
    trans.__('Delete Training Job…'),
    trans.__('Delete which job?'),
    'delete',
    () => true,
    (_, job) => job && remove(session, job, trans)
  );

  void restorer?.restore(views, {
    command: CommandIDs.openJob,
    args: view => ({ job: view.content.uid }),
    name: view => view.content.uid
  });
}

function openView(options: ITrainingPartOptions, uid: string): MainAreaWidget<TrainingView> {
  const { app, session, trans } = options;
  const content = new TrainingView({
    uid,
    session,
    highlight: highlighter(options.languages),
    trans,
    onVerb: (verb, job) => void app.commands.execute(JOB_COMMAND_OF[verb], { job })
  });
  const view = new MainAreaWidget({ content });
  view.id = `fairlead-job-${uid}`;
  view.title.icon = fairleadIcon;
  view.title.closable = true;
  view.toolbar.hide();
  return view;
}

/** Ask which job; null when none was chosen. */
async function choose(
  session: FairleadSession,
  title: string,
  among: (job: IJob) => boolean,
  trans: ITrans
): Promise<string | null> {
  const found = session.training.jobs.filter(among);
  if (!found.length) {
    Notification.info(trans.__('There is no such job.'), { autoClose: 4000 });
    return null;
  }
  const items = found.map(job => `${job.name} · ${job.kind} · ${stateLabel(job.state, trans)}`);
  const answer = await InputDialog.getItem({ title, items, current: 0 });
  const place = answer.value === null ? -1 : items.indexOf(answer.value);
  return found[place]?.uid ?? null;
}

async function remove(session: FairleadSession, job: IJob, trans: ITrans): Promise<void> {
  const answer = await showDialog({
    title: trans.__('Delete the %1 %2?', job.kind, job.name),
    body: isActive(job.state)
      ? trans.__('Its replicas are ended, and their logs go with it.')
      : trans.__('Its replicas and their logs go with it.'),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0
  });
  if (answer.button.accept) {
    await tried(trans.__('The job was not deleted.'), session.client.training.remove(job));
  }
}

async function tried(failure: string, work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = error instanceof ApiError ? error.hint : '';
    Notification.error([failure, why, hint].filter(Boolean).join(' '), { autoClose: false });
  }
}
