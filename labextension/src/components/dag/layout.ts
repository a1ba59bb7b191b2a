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
  const edges = sound.map(edge => ({
    ...edge,
    path: smoothPath(work.edge(edge.source, edge.target).points)
  }));
  const { width = 0, height = 0 } = work.graph();
  return { width, height, direction, nodes, edges };
}

/** A curve from the first point to the last that bends at those between. */
export function smoothPath(points: readonly IPoint[]): string {
  const at = (point: IPoint): string => `${round(point.x)} ${round(point.y)}`;
  const last = points.length - 1;
  if (last < 1) {
    return '';
  }
  const bends = points.slice(1, last).map((point, index) => {
    const next = points[index + 2];
    return `Q${at(point)} ${at(index + 2 === last ? next : middle(point, next))}`;
  });
  return `M${at(points[0])}${bends.join('') || `L${at(points[last])}`}`;
}

const middle = (a: IPoint, b: IPoint): IPoint => ({ x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 });
const round = (value: number): number => Math.round(value * 10) / 10;
