/**
 * The command that opens the table of all runs, and what its rows and experiments do.
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
import { listIcon } from '@jupyterlab/ui-components';

import { ApiError } from '../api/errors';
import type { IExperiment, IRunEntry } from '../api/runtypes';
import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { runRefusal } from './refusals';
import { RunActions } from './runactions';
import { RunTablePage, RunTableView } from './runtable';
import { deleteRecurring, enableRecurring } from './scheduling';

const PAGES: RunTablePage[] = ['runs', 'experiments', 'recurring'];

export interface IRunTableCommandsOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
}

/** Add the command; an open table comes back after a reload. */
export function addRunTable(options: IRunTableCommandsOptions): void {
  const { app, palette, restorer, trans } = options;
  const { commands } = app;
  const tables = new WidgetTracker<MainAreaWidget<RunTableView>>({ namespace: 'fairlead-runs' });
  commands.addCommand(CommandIDs.openRuns, {
    label: trans.__('Show All Runs'),
    caption: trans.__('A table of all runs, and of experiments'),
    icon: listIcon,
    describedBy: {
      args: {
        type: 'object',
        properties: {
          experiment: { type: 'string', description: 'Id of an experiment: only its runs.' },
          page: { type: 'string', enum: PAGES, description: 'The tab.' }
        }
      }
    },
    execute: ({ experiment, page }) => {
      const table = tables.find(() => true) ?? openTable(options);
      if (!table.isAttached) {
        void tables.add(table);
        app.shell.add(table, 'main', { type: 'Fairlead runs' });
      }
      if (typeof experiment === 'string') {
        table.content.showExperiment(experiment);
      } else {
        // No event tells what was pinned elsewhere.
        void table.content.model.refresh();
      }
      const shown = PAGES.find(one => one === page);
      if (shown) {
        table.content.showPage(shown);
      }
      app.shell.activateById(table.id);
    }
  });
  palette?.addItem({ command: CommandIDs.openRuns, category: CATEGORY });
  void restorer?.restore(tables, { command: CommandIDs.openRuns, name: () => 'runs' });
}

function openTable(options: IRunTableCommandsOptions): MainAreaWidget<RunTableView> {
  const { app, session, trans } = options;
  const { client } = session;
  const actions = new RunActions(session, trans);
  session.runs.start();
  const model = session.table();
  const content = new RunTableView({
    model,
    refusal: verb => runRefusal(session.context, verb),
    experiments: archived => client.experiments(archived),
    onNewExperiment: () => newExperiment(options),
    onArchiveExperiment: (experiment, back) => archiveExperiment(options, experiment, back),
    recurring: () => session.recurring(),
    recurringRefusal: () => runRefusal(session.context, 'schedule'),
    onSchedule: () => void app.commands.execute(CommandIDs.schedule),
    onEnableRecurring: (of, row, enabled) => void enableRecurring(of, row, enabled, trans),
    onDeleteRecurring: (of, row) => void deleteRecurring(of, row, trans),
    onOpen: run => void app.commands.execute(CommandIDs.openRun, { run }),
    onBulk: async (verb, runs) => {
      const ids = runs.map(run => run.id);
      switch (verb) {
        case 'compare':
          await app.commands.execute(CommandIDs.compareRuns, { runs: baselineFirst(runs) });
          break;
        case 'pin':
          await actions.pin(ids);
          break;
        case 'unpin':
          await actions.unpin(ids);
          break;
        case 'label':
          await actions.label(runs);
          break;
        case 'stop':
          await actions.stopAll(ids);
          break;
        case 'delete':
          await actions.remove(ids, runs.length === 1 ? runs[0].name : '');
          break;
        default:
          await actions.archive(ids, verb === 'unarchive');
      }
      await model.refresh();
    },
    trans
  });
  const table = new MainAreaWidget({ content });
  table.id = 'fairlead-runs';
  table.title.icon = listIcon;
  table.title.label = trans.__('Runs');
  table.title.closable = true;
  table.toolbar.hide();
  return table;
}

/** Ids of runs: the baseline first, else the oldest; the table has the newest first. */
function baselineFirst(runs: readonly IRunEntry[]): string[] {
  const age = (run: IRunEntry): string => (run.baseline ? '' : (run.created_at ?? ''));
  return [...runs].sort((one, other) => age(one).localeCompare(age(other))).map(run => run.id);
}

async function newExperiment({ session, trans }: IRunTableCommandsOptions): Promise<IExperiment | null> {
  const answer = await InputDialog.getText({
    title: trans.__('New experiment'),
    label: trans.__('Name'),
    okLabel: trans.__('Create')
  });
  const name = answer.value?.trim();
  return answer.button.accept && name
    ? told(trans.__('No experiment was made.'), () => session.client.createExperiment(name))
    : null;
}

async function archiveExperiment(
  { session, trans }: IRunTableCommandsOptions,
  experiment: IExperiment,
  back: boolean
): Promise<boolean> {
  if (!back) {
    const answer = await showDialog({
      title: trans.__('Archive the experiment %1?', experiment.name),
      body: trans.__('Its runs are archived with it. Both can be brought back.'),
      buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Archive') })],
      defaultButton: 0
    });
    if (!answer.button.accept) {
      return false;
    }
  }
  const failure = back ? trans.__('Not brought back:') : trans.__('Not archived:');
  const done = await told(failure, async () => {
    await session.client.archiveExperiment(experiment.id, back);
    return true;
  });
  void session.runs.refresh();
  return done ?? false;
}

/** What `act` gives; null where it failed, which is told. */
async function told<T>(failure: string, act: () => Promise<T>): Promise<T | null> {
  try {
    return await act();
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const hint = error instanceof ApiError ? error.hint : '';
    Notification.error([failure, why, hint].filter(Boolean).join(' '), { autoClose: false });
    return null;
  }
}
