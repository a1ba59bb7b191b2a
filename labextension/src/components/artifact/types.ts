/**
 * What can be shown of an artifact, as the server or the kernel tells it.
 */

export interface ICurvePoint {
  fpr: number;
  tpr: number;
  threshold: number | null;
}

/** A part of classification metrics: a curve, a confusion matrix, or both. */
export interface ISlice {
  name: string;
  /** Area under the curve; null where there is none. */
  auc: number | null;
  points: ICurvePoint[];
  labels: string[];
  /** Rows are what was true, columns what was predicted. */
  matrix: number[][];
}

export type PreviewKind =
  | 'metrics'
  | 'classification'
  | 'html'
  | 'markdown'
  | 'image'
  | 'table'
  | 'notebook'
  | 'json'
  | 'text'
  | 'none';

export interface IPreview {
  kind: PreviewKind;
  /** Whether the artifact goes on behind what is shown. */
  truncated: boolean;
  /** In words why there is nothing to show. */
  reason: string;
  values?: Record<string, number | string | boolean>;
  slices?: ISlice[];
  /** The curves as Vega-Lite. */
  spec?: object | null;
  text?: string;
  mime?: string;
  /** Base64. */
  data?: string;
  columns?: string[];
  rows?: string[][];
  notebook?: object;
}

/**
 * Draws content with a renderer of the front end; returns how to take it away again, or null where it
 * has no renderer for this.
 */
export type DrawMime = (host: HTMLElement, mime: string, content: unknown) => (() => void) | null;
