/**
 * An executed notebook, to read: sources and outputs, nothing of it trusted.
 */
import type { ICell, INotebookContent, IOutput } from '@jupyterlab/nbformat';
import { OutputAreaModel, SimplifiedOutputArea } from '@jupyterlab/outputarea';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Panel, Widget } from '@lumino/widgets';

/** Colours source text, or leaves it plain. */
export type Highlight = (source: string, language: string, host: HTMLElement) => void;

export class NotebookView extends Panel {
  constructor(notebook: INotebookContent, rendermime: IRenderMimeRegistry, highlight: Highlight) {
    super();
    this.addClass('fl-NotebookView');
    this.node.dataset.flNotebook = '';
    for (const cell of notebook.cells) {
      this.addWidget(cell.cell_type === 'markdown' ? markdown(cell, rendermime) : source(cell, highlight));
      const outputs = (cell.outputs ?? []) as IOutput[];
      if (outputs.length) {
        this.addWidget(this._outputs(outputs, rendermime));
      }
    }
  }

  private _outputs(values: IOutput[], rendermime: IRenderMimeRegistry): Widget {
    // Not trusted: scripts do not run and HTML is cleaned. The outputs come from wherever the step ran.
    const model = new OutputAreaModel({ values, trusted: false });
    const area = new SimplifiedOutputArea({ model, rendermime });
    area.addClass('fl-NotebookView-outputs');
    area.disposed.connect(() => model.dispose());
    return area;
  }
}

function textOf(cell: ICell): string {
  return Array.isArray(cell.source) ? cell.source.join('') : cell.source;
}

function source(cell: ICell, highlight: Highlight): Widget {
  const made = new Widget({ node: document.createElement('pre') });
  made.addClass('fl-NotebookView-source');
  made.node.dataset.flCell = typeof cell.id === 'string' ? cell.id : '';
  made.node.textContent = textOf(cell);
  highlight(textOf(cell), 'python', made.node);
  return made;
}

function markdown(cell: ICell, rendermime: IRenderMimeRegistry): Widget {
  const mime = 'text/markdown';
  const made = rendermime.createRenderer(mime);
  const model = rendermime.createModel({ data: { [mime]: textOf(cell) }, trusted: false });
  made.renderModel(model).catch((error: Error) => {
    made.node.textContent = error.message;
  });
  return made;
}
