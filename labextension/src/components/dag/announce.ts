/**
 * What a screen reader hears when states change.
 */
import { stateKey, stateLabel } from '../states';
import type { ITrans } from '../text';
import type { IDagNode } from './types';

/** More changes than this at once are counted, not read out. */
const MOST_NAMED = 3;

/** The changes between two states of the same graph in one sentence; empty when there are none. */
export function announcement(before: readonly IDagNode[], after: readonly IDagNode[], trans: ITrans): string {
  const known = new Map(before.map(node => [node.id, stateKey(node.state, node.cached)]));
  const changed = after.filter(node => {
    const was = known.get(node.id);
    return was !== undefined && was !== stateKey(node.state, node.cached);
  });
  const named = changed
    .slice(0, MOST_NAMED)
    .map(node => `${node.name} ${stateLabel(node.state, trans, node.cached).toLowerCase()}`);
  const rest = changed.length - named.length;
  if (rest > 0) {
    named.push(trans._n('%1 more step changed', '%1 more steps changed', rest));
  }
  return named.join(', ');
}
