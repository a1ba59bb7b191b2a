/**
 * Scopes that fold: which nodes of a graph are shown. Pure but for `Folds`, the reader's choice.
 *
 * A folded scope is one node. An open one is a box around its nodes; of a loop one iteration is shown.
 */
import { isActive, stateKey, StateKey } from '../states';
import type { IDagEdge, IDagGraph, IDagNode } from './types';

/** What is folded at first: the branches of a condition are part of the picture, a loop's body is not. */
const FOLDED_TYPES: readonly string[] = ['LOOP', 'DAG'];
const DONE: readonly StateKey[] = ['SUCCEEDED', 'CACHED', 'SKIPPED'];
/** What a scope says of its steps: the first of these that one of them is in. */
const WORST: readonly StateKey[] = [
  'FAILED',
  'CANCELED',
  'CANCELING',
  'UNKNOWN',
  'RUNNING',
  'PENDING',
  'SUCCEEDED',
  'CACHED',
  'SKIPPED'
];

/** What the reader folded, unfolded and chose. */
export class Folds {
  private readonly _open = new Map<string, boolean>();
  private readonly _iterations = new Map<string, string>();

  isOpen(node: IDagNode): boolean {
    return this._open.get(node.id) ?? !FOLDED_TYPES.includes(node.type ?? '');
  }

  setOpen(id: string, open: boolean): void {
    this._open.set(id, open);
  }

  /** The node of the iteration that was chosen of a loop. */
  iterationOf(loop: string): string | undefined {
    return this._iterations.get(loop);
  }

  choose(loop: string, iteration: string): void {
    this._iterations.set(loop, iteration);
  }
}

export interface IShownNode extends IDagNode {
  /** The shown scope around it. */
  parent: string | null;
  scope: 'none' | 'folded' | 'open';
  /** Steps in it that ended well, of all steps; of a scope only. */
  done: number;
  total: number;
  /** Of an open loop: its iterations, and the one that is shown. */
  choices: readonly IDagNode[];
  chosen: string | null;
}

export interface IShownGraph {
  /** Scopes before what is in them. */
  nodes: IShownNode[];
  edges: IDagEdge[];
  /** For every node of the graph the shown one that it is, or is in. */
  shownAs: ReadonlyMap<string, string>;
}

interface ICount {
  done: number;
  total: number;
  state: StateKey;
}

/** Children of each node, `''` for those at the top; who names an unknown parent stands at the top. */
export function childrenOf(nodes: readonly IDagNode[]): Map<string, IDagNode[]> {
  const known = new Set(nodes.map(node => node.id));
  const children = new Map<string, IDagNode[]>();
  for (const node of nodes) {
    const parent = node.parent && known.has(node.parent) ? node.parent : '';
    const siblings = children.get(parent);
    if (siblings) {
      siblings.push(node);
    } else {
      children.set(parent, [node]);
    }
  }
  return children;
}

/** The part of a graph that is shown. */
export function fold(graph: IDagGraph, folds: Folds): IShownGraph {
  const children = childrenOf(graph.nodes);
  const counts = new Map<string, ICount>();
  const nodes: IShownNode[] = [];
  const shownAs = new Map<string, string>();

  const hide = (id: string, within: string): void => {
    shownAs.set(id, within);
    children.get(id)?.forEach(child => hide(child.id, within));
  };
  const show = (node: IDagNode, parent: string | null, skipped: boolean): void => {
    const inside = children.get(node.id) ?? [];
    const { state, done, total } = count(node, children, counts);
    const open = inside.length > 0 && folds.isOpen(node);
    const isSkipped = skipped && state === 'PENDING';
    const shown: IShownNode = {
      ...node,
      parent,
      state: isSkipped ? 'SKIPPED' : inside.length ? state : node.state,
      scope: inside.length === 0 ? 'none' : open ? 'open' : 'folded',
      done,
      total,
      choices: [],
      chosen: null
    };
    nodes.push(shown);
    shownAs.set(node.id, node.id);
    if (!open) {
      inside.forEach(child => hide(child.id, node.id));
      return;
    }
    const below = isSkipped || stateKey(node.state) === 'SKIPPED';
    const iterations = inside.filter(child => typeof child.iteration === 'number');
    if (iterations.length === 0) {
      inside.forEach(child => show(child, node.id, below));
      return;
    }
    const chosen = iterations.find(one => one.id === folds.iterationOf(node.id)) ?? notable(iterations);
    shown.choices = iterations;
    shown.chosen = chosen.id;
    iterations.filter(one => one !== chosen).forEach(one => hide(one.id, node.id));
    const body = children.get(chosen.id) ?? [];
    if (body.length) {
      // The loop's box is the iteration's: it needs none of its own.
      shownAs.set(chosen.id, node.id);
      body.forEach(child => show(child, node.id, below));
    } else {
      show(chosen, node.id, below);
    }
  };
  (children.get('') ?? []).forEach(node => show(node, null, false));
  const drawn = new Set(nodes.map(node => node.id));
  return {
    nodes,
    edges: graph.edges.filter(edge => drawn.has(edge.source) && drawn.has(edge.target)),
    shownAs
  };
}

/** Open what a node is in; of the loops around it choose the iterations that hold it. */
export function unfoldTo(graph: IDagGraph, id: string, folds: Folds): void {
  const known = new Map(graph.nodes.map(node => [node.id, node]));
  const seen = new Set<string>();
  for (let node = known.get(id); node?.parent && !seen.has(node.id); node = known.get(node.parent)) {
    seen.add(node.id);
    folds.setOpen(node.parent, true);
    if (typeof node.iteration === 'number') {
      folds.choose(node.parent, node.id);
    }
  }
}

/** The iteration that a reader looks for first: one that failed, else one that runs, else the first. */
function notable(iterations: readonly IDagNode[]): IDagNode {
  return (
    iterations.find(one => stateKey(one.state) === 'FAILED') ??
    iterations.find(one => isActive(one.state)) ??
    iterations[0]
  );
}

function count(
  node: IDagNode,
  children: ReadonlyMap<string, readonly IDagNode[]>,
  known: Map<string, ICount>
): ICount {
  const found = known.get(node.id);
  if (found) {
    return found;
  }
  const own = stateKey(node.state, node.cached);
  const inside = (children.get(node.id) ?? []).map(child => count(child, children, known));
  // Of a branch that was not taken no step is waited for.
  const sum = (of: 'done' | 'total'): number =>
    own === 'SKIPPED' ? 0 : inside.reduce((all, one) => all + one[of], 0);
  const result: ICount =
    inside.length === 0
      ? { done: DONE.includes(own) ? 1 : 0, total: 1, state: own }
      : { done: sum('done'), total: sum('total'), state: worst(own, inside) };
  known.set(node.id, result);
  return result;
}

/** A scope that was not entered, or has not begun, says so itself; else the worst of its steps speaks. */
function worst(own: StateKey, inside: readonly ICount[]): StateKey {
  if (own === 'SKIPPED' || own === 'PENDING') {
    return own;
  }
  const states = new Set([own, ...inside.map(one => one.state)]);
  // What never began in a scope that has ended is no news of its own.
  if (!isActive(own)) {
    states.delete('PENDING');
  }
  return WORST.find(state => states.has(state)) ?? own;
}
