/**
 * What can be shown of an artifact: what the server or the kernel answers is drawn as it is.
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
