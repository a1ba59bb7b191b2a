/**
 * Placing the nodes of one scope. Pure; dagre does the work.
 */
import dagre from '@dagrejs/dagre';

import type { DagDirection, IDagEdge } from './types';

/** Above this many nodes dagre's best ranking takes seconds, and the fast one looks the same. */
const MANY_NODES = 150;
/** Between neighbours. */
export const ACROSS_PX: Record<DagDirection, number> = { TB: 24, LR: 14 };
/** Between rows. */
export const ALONG_PX: Record<DagDirection, number> = { TB: 38, LR: 44 };

export interface IPoint {
  x: number;
  y: number;
}

export interface ISize {
  width: number;
  height: number;
}

export interface IPlacing extends ISize {
  /** Centres. */
  nodes: Map<string, IPoint>;
  /** Between the ends of each edge the points at which it passes other rows; as many as edges. */
  passed: IPoint[][];
}

/** Places nodes of given sizes; edges are between two different ones of them, each pair once. */
export type Placer = (
  sizes: ReadonlyMap<string, ISize>,
  edges: readonly IDagEdge[],
  direction: DagDirection
) => IPlacing;

/** Place nodes; with another placer for many, which dagre takes seconds for. */
export function place(
  sizes: ReadonlyMap<string, ISize>,
  edges: readonly IDagEdge[],
  direction: DagDirection,
  placeMany: Placer = placeByDagre
): IPlacing {
  return (sizes.size > MANY_NODES ? placeMany : placeByDagre)(sizes, edges, direction);
}

const placeByDagre: Placer = (sizes, edges, direction) => {
  const work = new dagre.graphlib.Graph();
  work.setGraph({
    rankdir: direction,
    nodesep: ACROSS_PX[direction],
    ranksep: ALONG_PX[direction],
    ranker: sizes.size > MANY_NODES ? 'longest-path' : 'network-simplex'
  });
  work.setDefaultEdgeLabel(() => ({}));
  sizes.forEach((size, id) => work.setNode(id, { ...size }));
  edges.forEach(edge => work.setEdge(edge.source, edge.target));
  dagre.layout(work);
  const nodes = new Map<string, IPoint>();
  for (const id of sizes.keys()) {
    const { x, y } = work.node(id);
    nodes.set(id, { x, y });
  }
  const passed = edges.map(edge => work.edge(edge.source, edge.target).points.slice(1, -1));
  const { width = 0, height = 0 } = work.graph();
  return { width, height, nodes, passed };
};
