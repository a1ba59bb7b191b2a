/**
 * Lab's own renderers, for what artifacts hold.
 */
import type { INotebookContent } from '@jupyterlab/nbformat';
import type { IRenderMimeRegistry } from '@jupyterlab/rendermime';
import { Widget } from '@lumino/widgets';

import { NOTEBOOK_MIME, PLOT_MIME } from '../components/artifact/preview';
import type { DrawMime } from '../components/artifact/types';
import { Highlight, NotebookView } from './notebookview';

/** Nothing is trusted: Lab cleans what it draws, and runs no script of it. */
export function mimeDrawer(rendermime: IRenderMimeRegistry, highlight: Highlight): DrawMime {
  return (host, mime, content) => {
    const made = widgetOf(rendermime, highlight, mime, content);
    if (made) {
      Widget.attach(made, host);
    }
    return made && (() => made.dispose());
  };
}

function widgetOf(
  rendermime: IRenderMimeRegistry,
  highlight: Highlight,
  mime: string,
  content: unknown
): Widget | null {
  if (mime === NOTEBOOK_MIME) {
    return new NotebookView(content as INotebookContent, rendermime, highlight);
  }
  if (!rendermime.mimeTypes.includes(mime)) {
    return null;
  }
  const made = rendermime.createRenderer(mime);
  const isPlot = mime === PLOT_MIME;
  const model = rendermime.createModel({
    data: { [mime]: isPlot ? { ...(content as object), background: 'transparent' } : (content as string) },
    metadata: isPlot ? { [mime]: { embed_options: { actions: false } } } : {},
    trusted: false
  });
  made.renderModel(model).catch((error: Error) => {
    made.node.textContent = error.message;
  });
  return made;
}
