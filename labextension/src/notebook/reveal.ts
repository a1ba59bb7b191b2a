/**
 * Bring a cell into sight.
 */
import type { INotebookTracker, NotebookPanel } from '@jupyterlab/notebook';

const FLASH_MS = 1600;

function indexOf(panel: NotebookPanel, cellId: string): number {
  return panel.content.widgets.findIndex(cell => cell.model.id === cellId);
}

/** The open notebook that has the cell; the one of `path` before others. */
export function findNotebook(
  tracker: INotebookTracker,
  cellId: string,
  path: string | null
): NotebookPanel | null {
  const found: NotebookPanel[] = [];
  tracker.forEach(panel => {
    if (indexOf(panel, cellId) >= 0) {
      found.push(panel);
    }
  });
  return found.find(panel => panel.context.path === path) ?? found[0] ?? null;
}

/** Number of a cell as Lab counts them, from 1; null when no open notebook has it. */
export function cellNumber(tracker: INotebookTracker, cellId: string): number | null {
  const panel = findNotebook(tracker, cellId, null);
  return panel ? indexOf(panel, cellId) + 1 : null;
}

/** Make the cell active, scroll to it, and put the cursor on its line (from 1). */
export async function revealCell(panel: NotebookPanel, cellId: string, line: number | null): Promise<void> {
  const index = indexOf(panel, cellId);
  const cell = panel.content.widgets[index];
  if (!cell) {
    return;
  }
  panel.content.activeCellIndex = index;
  await panel.content.scrollToItem(index, 'center');
  await cell.ready;
  if (line !== null && cell.editor && line <= cell.editor.lineCount) {
    const position = { line: line - 1, column: 0 };
    cell.editor.setCursorPosition(position);
    cell.editor.revealPosition(position);
  }
  cell.node.classList.add('fl-mod-revealed');
  setTimeout(() => cell.node.classList.remove('fl-mod-revealed'), FLASH_MS);
}
