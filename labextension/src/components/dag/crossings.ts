/**
 * The order within the rows of a large graph in which few edges cross. Pure.
 *
 * d3-dag's own search counts crossings pair by pair, which takes seconds for a thousand nodes.
 */
import { Decross, decrossDfs, SugiNode, twolayerAgg } from 'd3-dag';

type Row = SugiNode<unknown, unknown>[];

const STARTS = [decrossDfs().topDown(true), decrossDfs().topDown(false)];
/** Down and up again, each row by the one before. */
const SWEEPS = 2;
const sortRow = twolayerAgg();

/** Reorder the rows in place. */
export const uncross: Decross<unknown, unknown> = rows => {
  let best = rows.map(row => [...row]);
  let least = crossings(rows);
  const keep = (): void => {
    const count = crossings(rows);
    if (count < least) {
      least = count;
      best = rows.map(row => [...row]);
    }
  };
  for (const start of STARTS) {
    start(rows);
    keep();
    for (let sweep = 0; sweep < SWEEPS && least > 0; sweep += 1) {
      for (let index = 1; index < rows.length; index += 1) {
        sortRow(rows[index - 1], rows[index], true);
      }
      keep();
      for (let index = rows.length - 1; index > 0; index -= 1) {
        sortRow(rows[index - 1], rows[index], false);
      }
      keep();
    }
  }
  rows.splice(0, rows.length, ...best);
};

/** How often edges between neighbouring rows cross. */
export function crossings(rows: readonly Row[]): number {
  let total = 0;
  for (let index = 1; index < rows.length; index += 1) {
    total += crossingsOf(rows[index - 1], rows[index]);
  }
  return total;
}

/** Edges in the order of their upper ends: each crosses those before it that end further on. */
function crossingsOf(upper: Row, lower: Row): number {
  const places = new Map(lower.map((node, place) => [node, place]));
  // Sums of how many edges end at a place or before it, as a binary indexed tree.
  const sums = new Int32Array(lower.length + 1);
  let total = 0;
  let passed = 0;
  for (const node of upper) {
    const ends = [...node.childCounts()].map(([child, count]) => [places.get(child)!, count]);
    for (const [end, count] of ends) {
      let before = 0;
      for (let at = end + 1; at > 0; at -= at & -at) {
        before += sums[at];
      }
      total += (passed - before) * count;
    }
    // Edges of one node do not cross.
    for (const [end, count] of ends) {
      passed += count;
      for (let at = end + 1; at <= lower.length; at += at & -at) {
        sums[at] += count;
      }
    }
  }
  return total;
}
