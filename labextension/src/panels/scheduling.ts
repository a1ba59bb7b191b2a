/**
 * The command that opens the form of a recurring run, and what is done with those there are.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import {
  Dialog,
  ICommandPalette,
  MainAreaWidget,
  Notification,
  showDialog,
  WidgetTracker
} from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import { PathExt } from '@jupyterlab/coreutils';
import { historyIcon } from '@jupyterlab/ui-components';

import { ApiError } from '../api/errors';
import type { RecurringOrigin } from '../api/recurringtypes';
import { CATEGORY, CommandIDs } from '../commands';
import type { IRecurringRow } from '../components/RecurringTable';
import type { ITrans } from '../components/text';
import { ownTimeZone } from '../components/timing';
import type { RecurringModel } from '../model/recurring';
import type { FairleadSession } from '../model/session';
import { highlighter } from './highlight';
import { runRefusal } from './refusals';
import { ARGS, IRunCommands } from './runs';
import { ScheduleForm } from './scheduleform';

/** The context of the control plane on this machine. */
const EMBEDDED = 'local';

export interface ISchedulingOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  languages: IEditorLanguageRegistry | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
  runs: IRunCommands;
}

/** Add the command; forms that were open come back after a reload. */
export function addScheduling(options: ISchedulingOptions): void {
  const { app, session, palette, restorer, trans, runs } = options;
  const { commands } = app;
  const forms = new WidgetTracker<MainAreaWidget<ScheduleForm>>({ namespace: 'fairlead-schedule' });
  commands.addCommand(CommandIDs.schedule, {
    label: trans.__('Schedule…'),
    caption: () =>
      runRefusal(session.context, 'schedule') ||
      trans.__('Run a notebook or a run’s pipeline again and again'),
    icon: historyIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          ...ARGS.args.properties,
          path: { type: 'string', description: 'Path of a notebook.' },
          notebook: { type: 'boolean', description: 'The notebook in front.' }
        }
      }
    },
    isEnabled: () => !runRefusal(session.context, 'schedule'),
    execute: async args => {
      let path = typeof args.path === 'string' ? args.path : '';
      let run = path || args.notebook ? '' : (runs.named(args) ?? '');
      if (!path && !run) {
        path = session.currentNotebook() ?? '';
      }
      if (!path && !run) {
        run = (await runs.actions.choose(trans.__('Schedule which run?'), () => true)) ?? '';
      }
      if (!path && !run) {
        return;
      }
      const open = forms.find(form => form.content.options.run === run && form.content.options.path === path);
      const form = open ?? openForm(options, run, path);
      if (!form.isAttached) {
        void forms.add(form);
        app.shell.add(form, 'main', { type: 'Fairlead schedule' });
      }
      app.shell.activateById(form.id);
    }
  });
  palette?.addItem({ command: CommandIDs.schedule, category: CATEGORY });
  void restorer?.restore(forms, {
    command: CommandIDs.schedule,
    args: ({ content }) =>
      content.options.run ? { run: content.options.run } : { path: content.options.path },
    name: ({ content }) => content.options.run || content.options.path
  });
}

function openForm(options: ISchedulingOptions, run: string, path: string): MainAreaWidget<ScheduleForm> {
  const { app, session, languages, trans } = options;
  session.runs.start();
  const origin = (): RecurringOrigin => {
    if (run) {
      return { run };
    }
    const notebook = session.contentOf(path);
    return notebook ? { path, notebook } : { path };
  };
  const content = new ScheduleForm({
    run,
    path,
    origin,
    client: session.client,
    // KFP itself has one time zone for all schedules.
    timeZone: session.context.context?.context === EMBEDDED ? ownTimeZone() : '',
    highlight: highlighter(languages),
    refusal: () => runRefusal(session.context, 'schedule'),
    onMade: () => {
      form.dispose();
      void app.commands.execute(CommandIDs.openRuns, { page: 'recurring' });
    },
    onCancel: () => form.dispose(),
    trans
  });
  const form = new MainAreaWidget({ content });
  form.id = `fairlead-schedule-${run || path}`;
  form.title.icon = historyIcon;
  const name = run ? (session.runs.find(run)?.name ?? run.slice(0, 8)) : PathExt.basename(path);
  form.title.label = trans.__('Schedule %1', name);
  form.title.closable = true;
  form.toolbar.hide();
  return form;
}

/** Let a recurring run start runs, or no longer; a failure is told. */
export async function enableRecurring(
  model: RecurringModel,
  row: IRecurringRow,
  enabled: boolean,
  trans: ITrans
): Promise<void> {
  const failure = enabled ? trans.__('Not enabled:') : trans.__('Not disabled:');
  await told(failure, () => model.enable(row.id, enabled));
}

/** Delete a recurring run after asking; a failure is told. */
export async function deleteRecurring(
  model: RecurringModel,
  row: IRecurringRow,
  trans: ITrans
): Promise<void> {
  const answer = await showDialog({
    title: trans.__('Delete the recurring run %1?', row.name),
    body: trans.__('It starts no more runs. Those that it has started stay.'),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: trans.__('Delete') })],
    defaultButton: 0
  });
  if (answer.button.accept) {
    await told(trans.__('Not deleted:'), () => model.remove(row.id));
  }
}

async function told(failure: string, act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = error instanceof ApiError ? error.hint : '';
    Notification.error([failure, why, hint].filter(Boolean).join(' '), { autoClose: false });
  }
}
