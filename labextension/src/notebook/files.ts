/**
 * The file browser's part: a notebook, a compiled pipeline or a pipeline of Elyra runs from there.
 */
import type { JupyterFrontEnd, JupyterFrontEndPlugin } from '@jupyterlab/application';
import { Notification } from '@jupyterlab/apputils';
import { PathExt } from '@jupyterlab/coreutils';
import { IDefaultFileBrowser } from '@jupyterlab/filebrowser';
import { ITranslator, nullTranslator } from '@jupyterlab/translation';

import { ApiError } from '../api/errors';
import { CommandIDs } from '../commands';
import { runPipelineIcon } from '../panels/icons';
import { runRefusal } from '../panels/refusals';
import { IFairleadSession } from '../tokens';
import { exportPipeline } from './exporting';
import { showProblems } from './problems';
import { tellRemarks } from './remarks';

const RUNNABLE = ['.ipynb', '.pipeline'];
/** Notebooks are exported where they are open, as they stand. */
const EXPORTED = ['.pipeline'];

export const filesPlugin: JupyterFrontEndPlugin<void> = {
  id: '@fairlead/lab:files',
  description: 'Runs notebooks and pipelines from the file browser.',
  autoStart: true,
  requires: [IFairleadSession],
  optional: [IDefaultFileBrowser, ITranslator],
  activate: (
    app: JupyterFrontEnd,
    session: IFairleadSession,
    browser: IDefaultFileBrowser | null,
    translator: ITranslator | null
  ) => {
    const trans = (translator ?? nullTranslator).load('fairlead');
    const { commands } = app;
    /** The file that is meant; null for none, several, or one of another kind. */
    const meant = (path: unknown, kinds = RUNNABLE): string | null => {
      if (typeof path === 'string') {
        return path;
      }
      const chosen = [...(browser?.selectedItems() ?? [])];
      const fits = chosen.length === 1 && kinds.includes(PathExt.extname(chosen[0].path));
      return fits ? chosen[0].path : null;
    };
    const refusal = (): string => runRefusal(session.context, 'start');
    commands.addCommand(CommandIDs.runFile, {
      label: trans.__('Run as Pipeline'),
      caption: () => refusal() || trans.__('Run this file as a pipeline'),
      icon: runPipelineIcon,
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'A notebook or a pipeline; by default the one chosen in the file browser.'
            }
          }
        }
      },
      isVisible: args => meant(args.path) !== null,
      isEnabled: args => meant(args.path) !== null && !refusal(),
      execute: async args => {
        const path = meant(args.path);
        if (path === null) {
          return null;
        }
        try {
          const { run, problems } = await session.client.submit({ path });
          session.runs.start();
          session.runs.put(run);
          session.started.put(path, run.id);
          const name = PathExt.basename(path);
          tellRemarks({
            done: trans.__('%1 was started.', name),
            name,
            problems,
            trans,
            reveal: async () => void (await commands.execute('docmanager:open', { path }))
          });
          await commands.execute(CommandIDs.openRun, { run: run.id });
          return run.id;
        } catch (error) {
          if (!(error instanceof ApiError)) {
            throw error;
          }
          if (error.problems.length) {
            const { problem } = await showProblems(error.problems, trans);
            if (problem) {
              await commands.execute('docmanager:open', { path });
            }
          } else {
            const failure = trans.__('%1 was not started.', PathExt.basename(path));
            const text = [failure, error.message, error.hint].filter(Boolean).join(' ');
            Notification.error(text, { autoClose: false });
          }
          return null;
        }
      }
    });
    commands.addCommand(CommandIDs.exportFile, {
      label: trans.__('Export Pipeline…'),
      caption: trans.__('Write this pipeline in a form that others take'),
      describedBy: {
        args: {
          type: 'object',
          properties: {
            path: {
              type: 'string',
              description: 'A pipeline of Elyra; by default the one chosen in the file browser.'
            }
          }
        }
      },
      isVisible: ({ path }) => meant(path, EXPORTED) !== null,
      execute: async args => {
        const path = meant(args.path, EXPORTED);
        return path === null
          ? null
          : exportPipeline({ path, to: ['ir', 'kustomize'] }, session.client, trans);
      }
    });
  }
};
