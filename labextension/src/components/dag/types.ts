/**
 * What the DAG renderer takes and gives.
 */
import type { ITrans } from '../text';

export interface IDagNode {
  id: string;
  name: string;
  state: string;
  cached?: boolean;
  started_at?: string | null;
  finished_at?: string | null;
}

export interface IDagEdge {
  source: string;
  target: string;
  /** What travels along it. */
  names?: string[];
}

export interface IDagGraph {
  nodes: IDagNode[];
  edges: IDagEdge[];
}

/** Where the edges run: down or to the right. */
export type DagDirection = 'TB' | 'LR';

export interface IDagOptions {
  direction?: DagDirection;
  /** Selected at first. */
  selected?: string | null;
  /** A node was clicked or walked to. */
  onSelect?: (id: string) => void;
  /** Enter or a double click: show the node's details. */
  onOpen?: (id: string) => void;
  /** Escape: where the focus should go; without it the graph gives the focus up. */
  onLeave?: () => void;
  /** `zoom`: the wheel zooms; `modifier`: only with Ctrl or Cmd, so that a page still scrolls. */
  wheel?: 'zoom' | 'modifier';
  trans?: ITrans;
}

export interface IDagHandle {
  /** Pixels that the graph takes at its own scale. */
  readonly size: { width: number; height: number };
  /** Show a newer graph. Nodes are patched in place; only another shape is laid out again. */
  update(graph: IDagGraph): void;
  /** Mark a node as selected, without calling `onSelect`. */
  select(id: string | null): void;
  /** Scale and move so that everything is seen. */
  fit(): void;
  /** Put the keyboard focus on the selected, else the first node. */
  focus(): void;
  destroy(): void;
}
