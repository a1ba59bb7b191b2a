/**
 * Commands over runs, and the run views that they open.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';

import type { INode, IRunSummary } from '../api/types';
import { CATEGORY, CommandIDs } from '../commands';
import type { RunVerb } from '../components/RunList';
import { canRetry, isActive, stateKey } from '../components/states';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { highlighter } from './highlight';
import { fairleadIcon } from './icons';
import { runRefusal } from './refusals';
import { RunActions } from './runactions';
import { RunView } from './runview';

/** The command of each verb of a run. */
export const COMMAND_OF: Record<RunVerb, string> = {
  open: CommandIDs.openRun,
  stop: CommandIDs.stopRun,
  retry: CommandIDs.retryRun,
  clone: CommandIDs.cloneRun,
  rerun: CommandIDs.rerunFrom,
  schedule: CommandIDs.schedule,
  compare: CommandIDs.compareRuns,
  archive: CommandIDs.archiveRun,
  delete: CommandIDs.deleteRun
};

export type Args = ReadonlyPartialJSONObject;

export interface IRunsPartOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
}

export const ARGS = {
  args: {
    type: 'object',
    properties: {
      run: {
        type: 'string',
        description: 'Id of the run; by default the current one, or one that is asked for.'
      },
      row: { type: 'boolean', description: 'The run whose row was under the context menu.' }
    }
  }
};

/** What other commands over runs need of these. */
export interface IRunCommands {
  actions: RunActions;
  /** The run that a command means by its arguments or by what is in front; null where that is none. */
  named: (args: Args) => string | null;
  /** The step that is chosen in the view of a run. */
  stepOf: (run: string) => INode | null;
}

/** Add the commands over runs; their views come back after a reload. */
export function addRunCommands(options: IRunsPartOptions): IRunCommands {
  const { app, session, palette, restorer, trans } = options;
  const { commands } = app;
  const actions = new RunActions(session, trans);
  const views = new WidgetTracker<MainAreaWidget<RunView>>({ namespace: 'fairlead-run' });

  /** The run that a command means, without asking. */
  const named = (args: Args): string | null => {
    if (typeof args.run === 'string') {
      return args.run;
    }
    if (args.row) {
      const row = app.contextMenuHitTest(node => node.dataset.flRun !== undefined);
      return row?.dataset.flRun ?? null;
    }
    const current = app.shell.currentWidget;
    return current && views.has(current) ? (current as MainAreaWidget<RunView>).content.model.id : null;
  };
  const suits = (args: Args, among: (run: IRunSummary) => boolean): boolean => {
    const run = session.runs.find(named(args) ?? '');
    return run === null || among(run);
  };
  const add = (
    id: string,
    label: string,
    question: string,
    verb: RunVerb,
    among: (run: IRunSummary) => boolean,
    act: (run: string, args: Args) => unknown
  ): void => {
    commands.addCommand(id, {
      label,
      caption: () => runRefusal(session.context, verb),
      describedBy: ARGS,
      isEnabled: args => !runRefusal(session.context, verb) && suits(args, among),
      execute: async args => {
        const run = named(args) ?? (await actions.choose(question, among));
        return run === null ? null : act(run, args);
      }
    });
    palette?.addItem({ command: id, category: CATEGORY });
  };

  add(
    CommandIDs.openRun,
    trans.__('Open Run'),
    trans.__('Open which run?'),
    'open',
    () => true,
    (run, { node }) => {
      const view = views.find(one => one.content.model.id === run) ?? openView(options, run);
      if (!view.isAttached) {
        void views.add(view);
        app.shell.add(view, 'main', { type: 'Fairlead run' });
      }
      if (typeof node === 'string') {
        view.content.model.select(node);
      }
      app.shell.activateById(view.id);
    }
  );
  add(
    CommandIDs.stopRun,
    trans.__('Stop Run'),
    trans.__('Stop which run?'),
    'stop',
    run => isActive(run.state),
    run => actions.stop(run)
  );
  add(
    CommandIDs.retryRun,
    trans.__('Retry Run'),
    trans.__('Retry which run?'),
    'retry',
    run => canRetry(run.state),
    run => actions.retry(run)
  );
  add(
    CommandIDs.archiveRun,
    trans.__('Archive Run'),
    trans.__('Archive which run?'),
    'archive',
    run => !isActive(run.state),
    run => actions.archive([run])
  );
  add(
    CommandIDs.deleteRun,
    trans.__('Delete Run…'),
    trans.__('Delete which run?'),
    'delete',
    () => true,
    run => actions.remove([run])
  );

  void restorer?.restore(views, {
    command: CommandIDs.openRun,
    args: view => ({ run: view.content.model.id }),
    name: view => view.content.model.id
  });
  session.runs.ended.connect((_, run) => {
    const seen = views.find(view => view.content.model.id === run.id)?.isVisible;
    if (session.started.notebookOf(run.id) !== null && !seen) {
      tellEnd(options, run);
    }
  });
  const stepOf = (run: string): INode | null =>
    views.find(view => view.content.model.id === run)?.content.model.selected ?? null;
  return { actions, named, stepOf };
}

function openView(options: IRunsPartOptions, run: string): MainAreaWidget<RunView> {
  const { app, session, rendermime, trans } = options;
  const { commands } = app;
  const content = new RunView({
    model: session.follow(run),
    session,
    rendermime,
    highlight: highlighter(options.languages),
    trans,
    onRevealCell: (of, cell, line) => void commands.execute(CommandIDs.revealCell, { run: of, cell, line }),
    onOpenArtifact: artifact => void commands.execute(CommandIDs.openArtifact, { artifact }),
    onVerb: (verb, id) => void commands.execute(COMMAND_OF[verb], { run: id })
  });
  const view = new MainAreaWidget({ content });
  view.id = `fairlead-run-${run}`;
  view.title.icon = fairleadIcon;
  view.title.closable = true;
  view.toolbar.hide();
  return view;
}

/** Tell the end of a run that was started here and that nobody looks at. */
function tellEnd(options: IRunsPartOptions, run: IRunSummary): void {
  const { app, trans } = options;
  const actions = [
    {
      label: trans.__('Open run'),
      callback: () => void app.commands.execute(CommandIDs.openRun, { run: run.id })
    }
  ];
  if (stateKey(run.state) === 'SUCCEEDED') {
    Notification.success(trans.__('%1 succeeded.', run.name), { actions, autoClose: 5000 });
  } else if (stateKey(run.state) === 'FAILED') {
    const why = run.error ?? '';
    Notification.error([trans.__('%1 failed.', run.name), why].filter(Boolean).join(' '), { actions });
  }
}
