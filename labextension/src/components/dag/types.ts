/**
 * What the DAG renderer takes and gives.
 */
import type { ITrans } from '../text';
import type { Folds } from './fold';
import type { Placer } from './place';

export interface IDagNode {
  id: string;
  name: string;
  state: string;
  cached?: boolean;
  started_at?: string | null;
  finished_at?: string | null;
  /** Id of the scope that it is in: of another node of the graph. */
  parent?: string | null;
  /** KFP's word; what a scope is decides whether it is folded at first. */
  type?: string;
  /** Which iteration of a loop it is, from 0. */
  iteration?: number | null;
  /** Of a loop: how many it has. */
  iterations?: number | null;
  /** Of a branch: when it is taken. */
  condition?: string | null;
  /** Which of the eight step colours, instead of the state's. */
  color?: number;
  /** Said in the place of the state, of a step that has none yet. */
  note?: string;
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
  /** Which scopes are folded; it is changed in place, so that it outlives the drawing. */
  folds?: Folds;
  /** Places the nodes of scopes that have many. */
  placeMany?: Placer;
  /** With a field to search for steps. */
  search?: boolean;
  /** `zoom`: the wheel zooms; `modifier`: only with Ctrl or Cmd, so that a page still scrolls. */
  wheel?: 'zoom' | 'modifier';
  trans?: ITrans;
}

export interface IDagHandle {
  /** Pixels that the graph takes at its own scale. */
  readonly size: { width: number; height: number };
  /** Show a newer graph. Nodes are patched in place; only another shape is laid out again. */
  update(graph: IDagGraph): void;
  /** Mark a node as selected, without calling `onSelect`; in a folded scope, the scope that holds it. */
  select(id: string | null): void;
  /** Unfold what a node is in, and bring it into sight. */
  reveal(id: string): void;
  /** Scale and move so that everything is seen. */
  fit(): void;
  /** Put the keyboard focus on the selected, else the first node. */
  focus(): void;
  destroy(): void;
}
