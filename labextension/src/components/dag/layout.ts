/**
 * Where the nodes stand and the edges run. Pure; dagre does the work.
 */
import dagre from '@dagrejs/dagre';

import type { DagDirection, IDagEdge, IDagGraph } from './types';

export const NODE_WIDTH = 196;
export const NODE_HEIGHT = 50;
const MARGIN = 16;
/** Above this many nodes dagre's best ranking takes seconds, and the fast one looks the same. */
const MANY_NODES = 200;

export interface IPoint {
  x: number;
  y: number;
}

export interface IPlacedEdge extends IDagEdge {
  /** An SVG path. */
  path: string;
}

export interface ILayout {
  width: number;
  height: number;
  direction: DagDirection;
  /** Centres, by node id. */
  nodes: Map<string, IPoint>;
  edges: IPlacedEdge[];
}

/** Edges between two different nodes that exist, each pair once. */
export function soundEdges(graph: IDagGraph): IDagEdge[] {
  const known = new Set(graph.nodes.map(node => node.id));
  const pairs = new Map<string, IDagEdge>();
  for (const edge of graph.edges) {
    if (known.has(edge.source) && known.has(edge.target) && edge.source !== edge.target) {
      const pair = JSON.stringify([edge.source, edge.target]);
      const names = [...(pairs.get(pair)?.names ?? []), ...(edge.names ?? [])];
      pairs.set(pair, { source: edge.source, target: edge.target, names });
    }
  }
  return [...pairs.values()];
}

/** Equal for graphs that have the same layout. */
export function shapeOf(graph: IDagGraph): string {
  const pairs = soundEdges(graph).map(edge => [edge.source, edge.target]);
  return JSON.stringify([graph.nodes.map(node => node.id), pairs]);
}

/** Place every node and edge. An empty graph has no size. */
export function layOut(graph: IDagGraph, direction: DagDirection): ILayout {
  const nodes = new Map<string, IPoint>();
  if (graph.nodes.length === 0) {
    return { width: 0, height: 0, direction, nodes, edges: [] };
  }
  const work = new dagre.graphlib.Graph();
  work.setGraph({
    rankdir: direction,
    nodesep: direction === 'TB' ? 24 : 14,
    ranksep: direction === 'TB' ? 38 : 44,
    marginx: MARGIN,
    marginy: MARGIN,
    ranker: graph.nodes.length > MANY_NODES ? 'longest-path' : 'network-simplex'
  });
  work.setDefaultEdgeLabel(() => ({}));
  graph.nodes.forEach(node => work.setNode(node.id, { width: NODE_WIDTH, height: NODE_HEIGHT }));
  const sound = soundEdges(graph);
  sound.forEach(edge => work.setEdge(edge.source, edge.target));
  dagre.layout(work);
  graph.nodes.forEach(node => {
    const { x, y } = work.node(node.id);
    nodes.set(node.id, { x, y });
  });
  const rows = new Set([...nodes.values()].map(point => round(along(point, direction))));
  const edges = sound.map(edge => {
    const passed = work
      .edge(edge.source, edge.target)
      .points.slice(1, -1)
      .filter(point => rows.has(round(along(point, direction))));
    const path = edgePath(nodes.get(edge.source)!, passed, nodes.get(edge.target)!, direction);
    return { ...edge, path };
  });
  const { width = 0, height = 0 } = work.graph();
  return { width, height, direction, nodes, edges };
}

/**
 * The path from one node to another. It passes the rows between straight, at the points that dagre kept
 * free for it, and bends in the gaps between the rows.
 */
export function edgePath(
  source: IPoint,
  passed: readonly IPoint[],
  target: IPoint,
  direction: DagDirection
): string {
  const half = direction === 'TB' ? { x: 0, y: NODE_HEIGHT / 2 } : { x: NODE_WIDTH / 2, y: 0 };
  const before = (point: IPoint): IPoint => ({ x: point.x - half.x, y: point.y - half.y });
  const behind = (point: IPoint): IPoint => ({ x: point.x + half.x, y: point.y + half.y });
  const rows = [source, ...passed, target];
  return rows
    .slice(1)
    .map((point, index) => {
      const [from, to] = [behind(rows[index]), before(point)];
      const [x, y] = [(from.x + to.x) / 2, (from.y + to.y) / 2];
      const bend =
        direction === 'TB' ? `C${at(from.x, y)} ${at(to.x, y)}` : `C${at(x, from.y)} ${at(x, to.y)}`;
      return `${index === 0 ? 'M' : 'L'}${at(from.x, from.y)}${bend} ${at(to.x, to.y)}`;
    })
    .join('');
}

const at = (x: number, y: number): string => `${round(x)} ${round(y)}`;
const along = (point: IPoint, direction: DagDirection): number => (direction === 'TB' ? point.y : point.x);
const round = (value: number): number => Math.round(value * 10) / 10;
