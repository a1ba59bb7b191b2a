/**
 * A notebook's present content, as edited and not as saved, without its outputs.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { INotebookModel } from '@jupyterlab/notebook';

/** Cells have ids since nbformat 4.5; here they always have, or nothing could point at them. */
const MINOR_WITH_IDS = 5;

export function contentOf(model: INotebookModel): INotebookContent {
  const cells = [...model.cells].map(cell => ({
    id: cell.id,
    cell_type: cell.type,
    metadata: { ...cell.metadata },
    source: cell.sharedModel.getSource(),
    ...(cell.type === 'code' ? { outputs: [], execution_count: null } : {})
  }));
  return {
    cells,
    metadata: { ...model.metadata },
    nbformat: model.nbformat,
    nbformat_minor: Math.max(model.nbformatMinor, MINOR_WITH_IDS)
  };
}
