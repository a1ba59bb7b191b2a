/**
 * Commands that run a pipeline once more: a form for other values, and a rerun from a step at once.
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
import { copyIcon } from '@jupyterlab/ui-components';

import { ApiError } from '../api/errors';
import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import type { FairleadSession } from '../model/session';
import { CloneForm, runsAgain } from './cloneform';
import { highlighter } from './highlight';
import { runRefusal } from './refusals';
import { Args, ARGS, IRunCommands } from './runs';

export interface ICloneCommandsOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  languages: IEditorLanguageRegistry | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
  runs: IRunCommands;
}

const NODE_ARGS = {
  args: {
    type: 'object',
    properties: {
      ...ARGS.args.properties,
      node: { type: 'string', description: 'Id of a step; nothing from there on is taken from the cache.' }
    }
  }
};

/** Add the commands; forms that were open come back after a reload. */
export function addCloneCommands(options: ICloneCommandsOptions): void {
  const { app, session, palette, restorer, trans, runs } = options;
  const { commands } = app;
  const forms = new WidgetTracker<MainAreaWidget<CloneForm>>({ namespace: 'fairlead-clone' });
  const node = (args: Args): string => (typeof args.node === 'string' ? args.node : '');

  commands.addCommand(CommandIDs.cloneRun, {
    label: trans.__('Clone Run…'),
    caption: () => runRefusal(session.context, 'clone'),
    describedBy: NODE_ARGS,
    isEnabled: () => !runRefusal(session.context, 'clone'),
    execute: async args => {
      const run = runs.named(args) ?? (await runs.actions.choose(trans.__('Clone which run?'), () => true));
      if (run === null) {
        return;
      }
      const open = forms.find(
        form => form.content.options.run === run && form.content.options.node === node(args)
      );
      const form = open ?? openForm(options, run, node(args));
      if (!form.isAttached) {
        void forms.add(form);
        app.shell.add(form, 'main', { type: 'Fairlead clone' });
      }
      app.shell.activateById(form.id);
    }
  });
  commands.addCommand(CommandIDs.rerunFrom, {
    label: trans.__('Rerun from Step'),
    caption: () => runRefusal(session.context, 'rerun'),
    describedBy: NODE_ARGS,
    isEnabled: args => {
      const run = runs.named(args);
      const step = node(args) || (run !== null && runs.stepOf(run) !== null);
      return !runRefusal(session.context, 'rerun') && run !== null && step !== false;
    },
    execute: async args => {
      const run = runs.named(args);
      const from = node(args) || (run === null ? '' : (runs.stepOf(run)?.id ?? ''));
      if (run === null || !from) {
        return;
      }
      try {
        const { runs_again: again = [] } = await session.client.previewClone(run, { rerun_from: from });
        if (again.length && !(await agrees(from, again, trans))) {
          return;
        }
        const started = await session.client.clone(run, { rerun_from: from });
        session.runs.put(started);
        await commands.execute(CommandIDs.openRun, { run: started.id });
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const hint = error instanceof ApiError ? error.hint : '';
        const failure = trans.__('No run was started.');
        Notification.error([failure, why, hint].filter(Boolean).join(' '), { autoClose: false });
      }
    }
  });
  for (const command of [CommandIDs.cloneRun, CommandIDs.rerunFrom]) {
    palette?.addItem({ command, category: CATEGORY });
  }
  void restorer?.restore(forms, {
    command: CommandIDs.cloneRun,
    args: form => ({ run: form.content.options.run, node: form.content.options.node }),
    name: form => `${form.content.options.run} ${form.content.options.node}`
  });
}

/** Ask whether steps may run that are not meant. */
async function agrees(from: string, again: readonly string[], trans: ITrans): Promise<boolean> {
  const answer = await showDialog({
    title: trans.__('Rerun from %1?', from),
    body: runsAgain(again, trans),
    buttons: [Dialog.cancelButton(), Dialog.okButton({ label: trans.__('Rerun') })]
  });
  return answer.button.accept;
}

function openForm(options: ICloneCommandsOptions, run: string, node: string): MainAreaWidget<CloneForm> {
  const { app, session, languages, trans } = options;
  session.runs.start();
  const content = new CloneForm({
    run,
    node,
    client: session.client,
    highlight: highlighter(languages),
    refusal: () => runRefusal(session.context, 'clone'),
    onStarted: started => {
      session.runs.put(started);
      form.dispose();
      void app.commands.execute(CommandIDs.openRun, { run: started.id });
    },
    onCancel: () => form.dispose(),
    trans
  });
  const form = new MainAreaWidget({ content });
  form.id = `fairlead-clone-${run}-${node}`;
  form.title.icon = copyIcon;
  form.title.label = trans.__('Clone %1', session.runs.find(run)?.name ?? run.slice(0, 8));
  form.title.closable = true;
  form.toolbar.hide();
  return form;
}
