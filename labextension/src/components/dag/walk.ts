/**
 * Walking the graph with the arrow keys. Pure.
 *
 * Along the edges one goes to what comes after or before, across them to the nearest neighbour of
 * the same rank. Where an edge leads nowhere, the focus stays.
 */
import type { ILayout, IPoint } from './layout';

export type WalkKey = 'ArrowUp' | 'ArrowDown' | 'ArrowLeft' | 'ArrowRight' | 'Home' | 'End';

type Way = 'forward' | 'back' | 'before' | 'after';

const WAYS: Record<ILayout['direction'], Record<string, Way>> = {
  TB: { ArrowDown: 'forward', ArrowUp: 'back', ArrowLeft: 'before', ArrowRight: 'after' },
  LR: { ArrowRight: 'forward', ArrowLeft: 'back', ArrowUp: 'before', ArrowDown: 'after' }
};

/** Nodes in the order in which one reads the graph: by rank, then across. */
export function readingOrder(layout: ILayout): string[] {
  const along = (point: IPoint): number => (layout.direction === 'TB' ? point.y : point.x);
  const across = (point: IPoint): number => (layout.direction === 'TB' ? point.x : point.y);
  return [...layout.nodes.entries()]
    .sort(([, a], [, b]) => along(a) - along(b) || across(a) - across(b))
    .map(([id]) => id);
}

/** The node that `key` leads to from `id`; `id` itself at an end, null for another key. */
export function walk(layout: ILayout, id: string, key: string): string | null {
  if (key === 'Home' || key === 'End') {
    const order = readingOrder(layout);
    return (key === 'Home' ? order[0] : order[order.length - 1]) ?? null;
  }
  const way = WAYS[layout.direction][key];
  const here = layout.nodes.get(id);
  if (!way || !here) {
    return null;
  }
  if (way === 'forward' || way === 'back') {
    const ids = layout.edges
      .filter(edge => (way === 'forward' ? edge.source : edge.target) === id)
      .map(edge => (way === 'forward' ? edge.target : edge.source));
    return nearest(layout, here, ids) ?? id;
  }
  const across = (point: IPoint): number => (layout.direction === 'TB' ? point.x : point.y);
  const along = (point: IPoint): number => (layout.direction === 'TB' ? point.y : point.x);
  const beside = [...layout.nodes.entries()].filter(([, point]) => {
    const step = across(point) - across(here);
    return Math.abs(along(point) - along(here)) < 1 && (way === 'after' ? step > 0 : step < 0);
  });
  return (
    nearest(
      layout,
      here,
      beside.map(([other]) => other)
    ) ?? id
  );
}

function nearest(layout: ILayout, here: IPoint, ids: readonly string[]): string | null {
  let best: string | null = null;
  let least = Infinity;
  for (const id of ids) {
    const point = layout.nodes.get(id);
    const distance = point ? Math.hypot(point.x - here.x, point.y - here.y) : Infinity;
    if (distance < least) {
      least = distance;
      best = id;
    }
  }
  return best;
}
