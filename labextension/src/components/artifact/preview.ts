/**
 * Draws what an artifact holds. The same in panels and in the widget; what a front end has renderers
 * for (Markdown, plots, notebooks) they draw, where it hands them in.
 */
import type { IPreview } from '../../previews';
import { element } from '../dom';
import type { ITrans } from '../text';
import { htmlFrame } from './frame';
import { matrixTable } from './matrix';
import { curves, sliceTitle } from './roc';
import { dataTable, metricsTable } from './tables';
import type { DrawMime } from './types';

export const NOTEBOOK_MIME = 'application/x-ipynb+json';
export const MARKDOWN_MIME = 'text/markdown';
export const PLOT_MIME = 'application/vnd.vegalite.v5+json';

export interface IPreviewOptions {
  trans: ITrans;
  /** Name of the artifact, for screen readers. */
  name: string;
  draw?: DrawMime;
}

/** Draw a preview into `host`, after what is there; returns how to take it away. */
export function drawPreview(host: HTMLElement, preview: IPreview, options: IPreviewOptions): () => void {
  const root = element('div', 'fl-Preview', { 'data-fl-preview': preview.kind });
  host.append(root);
  const undo = content(root, preview, options);
  if (preview.truncated) {
    const words = options.trans.__('Only the beginning is shown; download it to see the rest.');
    root.append(element('p', 'fl-Preview-more', {}, words));
  }
  return () => {
    undo?.();
    root.remove();
  };
}

function content(root: HTMLElement, preview: IPreview, options: IPreviewOptions): (() => void) | null {
  const { trans, name, draw } = options;
  const text = preview.text ?? '';
  switch (preview.kind) {
    case 'metrics':
      root.append(metricsTable(preview.values ?? {}, trans));
      return null;
    case 'classification':
      return classification(root, preview, options);
    case 'html': {
      const frame = htmlFrame(text, name, trans);
      root.append(frame.node);
      return frame.dispose;
    }
    case 'markdown':
      return draw?.(root, MARKDOWN_MIME, text) ?? plain(root, text, name);
    case 'image': {
      const source = `data:${preview.mime};base64,${preview.data}`;
      root.append(element('img', 'fl-Preview-image', { src: source, alt: name }));
      return null;
    }
    case 'table':
      root.append(dataTable(preview.columns ?? [], preview.rows ?? [], name));
      return null;
    case 'notebook':
      return (
        draw?.(root, NOTEBOOK_MIME, preview.notebook) ??
        plain(root, JSON.stringify(preview.notebook, null, 1), name)
      );
    case 'json':
    case 'text':
      return plain(root, text, name);
    case 'none':
      root.append(element('p', 'fl-Preview-none', {}, preview.reason));
      return null;
  }
}

function plain(root: HTMLElement, text: string, name: string): null {
  const made = element('pre', 'fl-Preview-text', { tabindex: '0', role: 'region', 'aria-label': name }, text);
  root.append(made);
  return null;
}

function classification(root: HTMLElement, preview: IPreview, options: IPreviewOptions): (() => void) | null {
  const { trans, draw } = options;
  const slices = preview.slices ?? [];
  const drawn = slices.filter(slice => slice.points.length > 0);
  let undo: (() => void) | null = null;
  if (drawn.length) {
    const words = drawn.map(slice => sliceTitle(slice, trans)).join('; ');
    const label = trans.__('ROC curve: %1', words);
    const host = element('div', 'fl-Plot', { role: 'img', 'aria-label': label, 'data-fl-plot': 'roc' });
    root.append(host);
    undo = preview.spec && draw ? draw(host, PLOT_MIME, preview.spec) : null;
    if (!undo) {
      host.append(curves(drawn, trans));
    }
    if (drawn.length === 1) {
      // Several have a legend that says the same.
      root.append(element('p', 'fl-Plot-words', {}, words));
    }
  }
  for (const slice of slices) {
    if (slice.matrix.length) {
      root.append(matrixTable(slice, trans));
    }
  }
  return undo;
}
