/**
 * The notebook's part: the command behind the toolbar button, and the chips.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTools, INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';
import { ISettingRegistry } from '@jupyterlab/settingregistry';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import type { IProblem } from '../api/types';
import { CATEGORY, CommandIDs } from '../commands';
import { runPipelineIcon } from '../panels/icons';
import { runRefusal } from '../panels/refusals';
import { IFairleadSession } from '../tokens';
import { CellMarks } from './cellmarks';
import { contentOf } from './content';
import { exportPipeline, isFormat } from './exporting';
import { LiveValues } from './live';
import { Readings } from './reading';
import { cellNumber, findNotebook, revealCell } from './reveal';
import { runNotebook } from './run';
import { addStepCommands } from './stepcommands';
import { PipelineTool, StepTool, unfold } from './steptools';

export const SETTINGS_ID = '@fairlead/lab:plugin';
/** Lab's property inspector. */
const INSPECTOR_ID = 'jp-property-inspector';

export const notebookPlugin: JupyterFrontEndPlugin<void> = {
  id: '@fairlead/lab:notebook',
  description: 'Runs notebooks as pipelines and shows their steps over the cells.',
  autoStart: true,
  requires: [IFairleadSession, INotebookTracker],
  optional: [ISettingRegistry, ICommandPalette, ITranslator, INotebookTools],
  activate: (
    app: JupyterFrontEnd,
    session: IFairleadSession,
    tracker: INotebookTracker,
    settings: ISettingRegistry | null,
    palette: ICommandPalette | null,
    translator: ITranslator | null,
    tools: INotebookTools | null
  ) => {
    const trans = (translator ?? nullTranslator).load('fairlead');
    const { commands } = app;

    const byPath = (path: unknown): NotebookPanel | null =>
      typeof path === 'string'
        ? (tracker.find(one => one.context.path === path) ?? null)
        : tracker.currentWidget;
    const refusal = (): string => runRefusal(session.context, 'start');
    let refused = '';
    session.context.changed.connect(() => {
      if (refused !== refusal()) {
        refused = refusal();
        commands.notifyCommandChanged(CommandIDs.runNotebook);
      }
    });
    /** Notebooks whose run is being started: a second click is not a second run. */
    const starting = new Set<NotebookPanel>();
    commands.addCommand(CommandIDs.runNotebook, {
      label: trans.__('Run as pipeline'),
      caption: () => refusal() || trans.__('Run the steps of this notebook as a pipeline'),
      icon: runPipelineIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: { type: 'string', description: 'Path of an open notebook; by default the current one.' }
          }
        }
      },
      isEnabled: () => tracker.currentWidget !== null && !refusal(),
      execute: async args => {
        const panel = byPath(args.path);
        if (!panel || starting.has(panel)) {
          return null;
        }
        starting.add(panel);
        try {
          const shown = chips.has(panel) ? readings.of(panel).analysis.problems : [];
          const run = await runNotebook(panel, session, liveOf(panel), shown, trans);
          if (run !== null) {
            await commands.execute(CommandIDs.openRun, { run });
          }
          return run;
        } finally {
          starting.delete(panel);
        }
      }
    });
    palette?.addItem({ command: CommandIDs.runNotebook, category: CATEGORY });

    commands.addCommand(CommandIDs.exportPipeline, {
      label: trans.__('Export Pipeline…'),
      caption: trans.__('Write the pipeline of this notebook in a form that others take'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: { type: 'string', description: 'Path of an open notebook; by default the current one.' },
            to: { type: 'string', enum: ['kfp', 'ir', 'kustomize', 'share'] },
            name: { type: 'string', description: 'Name of the file beside the notebook.' }
          }
        }
      },
      isEnabled: () => tracker.currentWidget !== null,
      execute: async ({ path, to, name }) => {
        const panel = byPath(path);
        const given = {
          ...(isFormat(to) ? { to } : {}),
          ...(typeof name === 'string' ? { name } : {})
        };
        if (!panel) {
          return null;
        }
        const { context, content } = panel;
        const save = async (): Promise<void> => {
          if (content.model?.dirty && context.contentsModel?.writable !== false) {
            await context.save();
          }
        };
        const reveal = async ({ cell_id, line }: IProblem): Promise<void> => {
          if (cell_id) {
            await revealCell(panel, cell_id, line);
          }
        };
        return exportPipeline({ path: context.path, save, reveal }, session.client, trans, given);
      }
    });
    palette?.addItem({ command: CommandIDs.exportPipeline, category: CATEGORY });

    commands.addCommand(CommandIDs.revealCell, {
      label: trans.__('Show the cell of a step'),
      describedBy: {
        args: {
          type: 'object',
          properties: { run: { type: 'string' }, cell: { type: 'string' }, line: { type: 'number' } },
          required: ['run', 'cell']
        }
      },
      execute: async ({ run, cell, line }) => {
        if (typeof run !== 'string' || typeof cell !== 'string') {
          return;
        }
        const path = session.started.notebookOf(run);
        let panel = findNotebook(tracker, cell, path);
        if (!panel && path !== null) {
          await commands.execute('docmanager:open', { path });
          panel = byPath(path);
          await panel?.revealed;
        }
        if (!panel) {
          Notification.info(trans.__('Open the notebook of this run, and the link leads to its cell.'), {
            autoClose: 6000
          });
          return;
        }
        app.shell.activateById(panel.id);
        await revealCell(panel, cell, typeof line === 'number' ? line : null);
      }
    });

    session.currentNotebook = () => tracker.currentWidget?.context.path ?? null;
    session.contentOf = path => {
      const model = byPath(path)?.content.model;
      return model ? contentOf(model) : null;
    };
    session.cellNumber = cell => cellNumber(tracker, cell);
    const readings = new Readings(session.client);
    const liveValues = new WeakMap<NotebookPanel, LiveValues>();
    const liveOf = (panel: NotebookPanel): LiveValues => {
      const found = liveValues.get(panel) ?? new LiveValues(readings.of(panel), session.client);
      liveValues.set(panel, found);
      return found;
    };
    const chips = new Map<NotebookPanel, CellMarks>();
    const toolOptions = { tracker, readings, trans };
    const stepTool = new StepTool({
      ...toolOptions,
      schema: () => session.client.stepSettings(),
      onMake: () => void commands.execute(CommandIDs.makeStep)
    });
    const showSettings = (): void => {
      app.shell.activateById(INSPECTOR_ID);
      void stepTool.reveal();
    };
    const onMenu = addStepCommands({
      app,
      tracker,
      readings,
      palette,
      trans,
      editInChip: async (panel, cell) => {
        await chips.get(panel)?.edit(cell);
        return chips.has(panel);
      },
      showSettings
    });
    const add = (panel: NotebookPanel): CellMarks =>
      new CellMarks(readings.of(panel), {
        session,
        live: liveOf(panel),
        trans,
        onMenu,
        onMore: showSettings
      });
    showChips(tracker, chips, add, settings);

    const pipelineTool = new PipelineTool(toolOptions);
    tools?.addSection({ sectionName: 'fairlead-pipeline', label: trans.__('Pipeline'), tool: pipelineTool });
    tools?.addSection({ sectionName: 'fairlead-step', label: trans.__('Step'), tool: stepTool });
    unfold(pipelineTool);
    unfold(stepTool);
  }
};

/** Give every open notebook its chips while the setting says so. */
function showChips(
  tracker: INotebookTracker,
  marks: Map<NotebookPanel, CellMarks>,
  make: (panel: NotebookPanel) => CellMarks,
  settings: ISettingRegistry | null
): void {
  let wanted = false;
  const add = (panel: NotebookPanel): void => {
    if (wanted && !marks.has(panel)) {
      marks.set(panel, make(panel));
      panel.disposed.connect(() => marks.delete(panel));
    }
  };
  const want = (value: boolean): void => {
    wanted = value;
    if (wanted) {
      tracker.forEach(add);
    } else {
      marks.forEach(one => one.dispose());
      marks.clear();
    }
  };
  tracker.widgetAdded.connect((_, panel) => add(panel));
  if (!settings) {
    want(true);
    return;
  }
  settings.load(SETTINGS_ID).then(
    loaded => {
      const apply = (): void => want(loaded.get('chips').composite !== false);
      loaded.changed.connect(apply);
      apply();
    },
    (error: unknown) => {
      console.warn('Fairlead has no settings, so the chips are shown:', error);
      want(true);
    }
  );
}
