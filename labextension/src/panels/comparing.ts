/**
 * The command that puts runs beside each other, and the page that it opens.
 */
import type { ILayoutRestorer, JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, MainAreaWidget, Notification, WidgetTracker } from '@jupyterlab/apputils';
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';

import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import { ComparisonModel } from '../model/comparison';
import type { FairleadSession } from '../model/session';
import { CompareView } from './compareview';
import { highlighter } from './highlight';
import { fairleadIcon } from './icons';
import { mimeDrawer } from './mimehost';
import type { Args, IRunCommands } from './runs';

export interface IComparingOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  rendermime: IRenderMimeRegistry;
  languages: IEditorLanguageRegistry | null;
  palette: ICommandPalette | null;
  restorer: ILayoutRestorer | null;
  trans: ITrans;
  runs: IRunCommands;
}

/** Add the command; pages come back after a reload. */
export function addComparing(options: IComparingOptions): void {
  const { app, palette, restorer, trans, runs } = options;
  const pages = new WidgetTracker<MainAreaWidget<CompareView>>({ namespace: 'fairlead-compare' });
  let made = 0;

  /** The runs that a command means; who names one is asked for another. */
  const meant = async (args: Args): Promise<readonly string[] | null> => {
    if (Array.isArray(args.runs)) {
      return args.runs.filter((run): run is string => typeof run === 'string');
    }
    const any = (): boolean => true;
    const one = runs.named(args) ?? (await runs.actions.choose(trans.__('Compare which run?'), any));
    const other =
      one && (await runs.actions.choose(trans.__('Compare with which run?'), run => run.id !== one));
    return one && other ? [other, one] : null;
  };

  app.commands.addCommand(CommandIDs.compareRuns, {
    label: trans.__('Compare Runs…'),
    caption: trans.__('Put runs beside each other: values, plots, artifacts and code'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          runs: {
            type: 'array',
            items: { type: 'string' },
            description: 'Ids of the runs, the baseline first.'
          },
          run: { type: 'string', description: 'One of them; another is asked for.' }
        }
      }
    },
    execute: async args => {
      const ids = await meant(args);
      if (!ids?.length) {
        return;
      }
      made += 1;
      const page = openPage(options, ids, `fairlead-compare-${made}`);
      await pages.add(page);
      page.content.model.changed.connect(() => void pages.save(page));
      app.shell.add(page, 'main', { type: 'Fairlead comparison' });
      app.shell.activateById(page.id);
    }
  });
  palette?.addItem({ command: CommandIDs.compareRuns, category: CATEGORY });
  void restorer?.restore(pages, {
    command: CommandIDs.compareRuns,
    args: page => ({ runs: [...page.content.model.runs] }),
    name: page => page.id
  });
}

function openPage(
  options: IComparingOptions,
  ids: readonly string[],
  pageId: string
): MainAreaWidget<CompareView> {
  const { app, session, rendermime, languages, trans, runs } = options;
  const { commands } = app;
  const model = new ComparisonModel(ids, session.client, session.runFeed);
  const add = async (): Promise<void> => {
    const among = (run: { id: string }): boolean => !model.runs.includes(run.id);
    const more = await runs.actions.choose(trans.__('Compare with which run?'), among);
    if (more) {
      model.add([more]);
    }
  };
  const keep = async (run: string): Promise<void> => {
    if (await runs.actions.pin([run], true)) {
      Notification.success(trans.__('Pinned as the baseline of its experiment.'), { autoClose: 3000 });
    }
  };
  const content = new CompareView({
    model,
    draw: mimeDrawer(rendermime, highlighter(languages)),
    onOpenRun: run => void commands.execute(CommandIDs.openRun, { run }),
    onOpenArtifact: artifact => void commands.execute(CommandIDs.openArtifact, { artifact }),
    onAdd: () => void add(),
    onKeepBaseline: run => void keep(run),
    trans
  });
  const page = new MainAreaWidget({ content });
  page.id = pageId;
  page.title.icon = fairleadIcon;
  page.title.label = trans.__('Comparison');
  page.title.closable = true;
  page.toolbar.hide();
  return page;
}
