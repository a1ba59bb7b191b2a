/**
 * The view of a run, as far as the card draws it. Fields may be missing: a saved notebook keeps views
 * of older versions.
 */
import type { IPreview } from '../../previews';
import type { IDagNode, IDagEdge } from '../dag/types';

export interface ICardPort {
  name: string;
  names?: string[];
  type?: string | null;
  format?: string | null;
  size?: number | null;
  value?: unknown;
  kind?: string;
}

export interface ICardNode extends IDagNode {
  error?: { message: string; cell_id?: string | null; line?: number | null } | null;
  inputs?: ICardPort[];
  outputs?: ICardPort[];
}

export interface ICardPlot {
  step: string;
  name: string;
  preview: IPreview;
}

export interface ICardRun {
  id?: string;
  name?: string;
  state?: string;
  done?: number;
  total?: number;
  created_at?: string | null;
  started_at?: string | null;
  finished_at?: string | null;
  metrics?: Record<string, number>;
  /** Curves and confusion matrices that its steps made. */
  plots?: ICardPlot[];
  error?: string | null;
  parameters?: Record<string, unknown>;
  graph?: { nodes?: ICardNode[]; edges?: IDagEdge[] };
}
