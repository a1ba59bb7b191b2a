/**
 * Runs and artifacts as code in a notebook: rows are dragged there, or inserted by a command.
 */
import type { JupyterFrontEnd } from '@jupyterlab/application';
import { ICommandPalette, Notification } from '@jupyterlab/apputils';
import { INotebookTracker, NotebookActions } from '@jupyterlab/notebook';
import type { ReadonlyPartialJSONObject } from '@lumino/coreutils';
import { MimeData } from '@lumino/coreutils';
import { Drag } from '@lumino/dragdrop';

import { CATEGORY, CommandIDs } from '../commands';
import type { ITrans } from '../components/text';
import { artifactCode, runCode } from '../model/code';
import type { FairleadSession } from '../model/session';

type Args = ReadonlyPartialJSONObject;

/** What Lab's notebooks take as cells. */
const CELLS_MIME = 'application/vnd.jupyter.cells';
const ROW = '[data-fl-run], [data-fl-artifact]';
/** How far the pointer goes before a press is a drag. */
const THRESHOLD_PX = 5;

export interface ICodeOptions {
  app: JupyterFrontEnd;
  session: FairleadSession;
  notebooks: INotebookTracker | null;
  palette: ICommandPalette | null;
  trans: ITrans;
}

/** Add the command, and make rows of runs and artifacts draggable wherever they stand. */
export function addCodeCommands(options: ICodeOptions): void {
  const { app, notebooks, palette, trans } = options;
  const codeOf = (args: Args): string | null => {
    if (args.row) {
      const row = app.contextMenuHitTest(node => node.matches(ROW));
      return row ? rowCode(row) : null;
    }
    if (typeof args.artifact === 'string') {
      return artifactCode(args.artifact, typeof args.name === 'string' ? args.name : '');
    }
    return typeof args.run === 'string' ? runCode(args.run) : null;
  };
  app.commands.addCommand(CommandIDs.insertCode, {
    label: trans.__('Insert as Code'),
    caption: trans.__('Below the active cell of the notebook that was used last'),
    describedBy: {
      args: {
        type: 'object',
        properties: {
          run: { type: 'string', description: 'Id of a run.' },
          artifact: { type: 'string', description: 'Id of an artifact.' },
          name: { type: 'string', description: 'Name of the artifact.' },
          row: { type: 'boolean', description: 'The row under the context menu.' }
        }
      }
    },
    execute: async args => {
      const code = codeOf(args) ?? (await latestRun(options));
      const panel = notebooks?.currentWidget;
      if (!panel || !code) {
        const words = code ? trans.__('Open a notebook first.') : trans.__('There is no run yet.');
        Notification.info(words, { autoClose: 4000 });
        return;
      }
      app.shell.activateById(panel.id);
      NotebookActions.insertBelow(panel.content);
      panel.content.activeCell?.model.sharedModel.setSource(code);
    }
  });
  palette?.addItem({ command: CommandIDs.insertCode, category: CATEGORY });
  document.addEventListener('pointerdown', event => onPress(event), true);
}

/** From the palette: the run that was made last. */
async function latestRun({ session }: ICodeOptions): Promise<string | null> {
  session.runs.start();
  await session.runs.refresh();
  const [run] = session.runs.runs;
  return run ? runCode(run.id) : null;
}

/** The code of a row; null for what is no row of ours. */
export function rowCode(row: HTMLElement): string | null {
  const { flArtifact, flRun, flName } = row.dataset;
  if (flArtifact) {
    return artifactCode(flArtifact, flName ?? '');
  }
  return flRun ? runCode(flRun) : null;
}

/** Begin a drag when the pointer moves away with the button held. */
function onPress(press: PointerEvent): void {
  const row = press.target instanceof Element ? press.target.closest<HTMLElement>(ROW) : null;
  const code = press.button === 0 && row ? rowCode(row) : null;
  if (!row || !code) {
    return;
  }
  const end = (): void => {
    document.removeEventListener('pointermove', move, true);
    document.removeEventListener('pointerup', end, true);
    document.removeEventListener('pointercancel', end, true);
  };
  const move = (event: PointerEvent): void => {
    const far = Math.hypot(event.clientX - press.clientX, event.clientY - press.clientY);
    if (far >= THRESHOLD_PX) {
      end();
      start(row, code, event);
    }
  };
  document.addEventListener('pointermove', move, true);
  document.addEventListener('pointerup', end, true);
  document.addEventListener('pointercancel', end, true);
}

function start(row: HTMLElement, code: string, event: PointerEvent): void {
  const mimeData = new MimeData();
  const cell = { cell_type: 'code', source: code, metadata: {}, outputs: [], execution_count: null };
  mimeData.setData(CELLS_MIME, [cell]);
  mimeData.setData('text/plain', code);
  const image = document.createElement('pre');
  image.className = 'fl-DragCode fl-theme';
  image.textContent = code.split('\n').slice(2, 3).join('');
  const drag = new Drag({
    mimeData,
    dragImage: image,
    supportedActions: 'copy',
    proposedAction: 'copy',
    source: row
  });
  void drag.start(event.clientX, event.clientY).then(() => drag.dispose());
}
