/**
 * One node of the DAG: its element, its words, and how it is patched.
 */
import { element, setAttribute, setText } from '../dom';
import { clock, duration, elapsedMs } from '../format';
import { isActive, stateKey, stateLabel, stateSvg } from '../states';
import type { ITrans } from '../text';
import type { IDagNode } from './types';

/** `train, running, 2 of 6`. */
export function nodeLabel(node: IDagNode, place: number, total: number, trans: ITrans): string {
  const state = stateLabel(node.state, trans, node.cached).toLowerCase();
  return trans.__('%1, %2, %3 of %4', node.name, state, place, total);
}

/** How long it took, or has run so far; empty when it never ran. */
export function nodeTime(node: IDagNode, now: number): string {
  const ms = elapsedMs(node.started_at, node.finished_at, now);
  if (ms === null || stateKey(node.state, node.cached) === 'CACHED') {
    return '';
  }
  if (node.finished_at) {
    return duration(ms);
  }
  return isActive(node.state) ? clock(ms) : '';
}

/** Make the element of a node; `patchNode` fills it. */
export function createNode(): HTMLElement {
  return element(
    'div',
    'fl-Dag-node',
    { role: 'button', tabindex: '-1' },
    element('span', 'fl-Dag-icon'),
    element('span', 'fl-Dag-words', {}, element('span', 'fl-Dag-name'), element('span', 'fl-Dag-state')),
    element('span', 'fl-Dag-time')
  );
}

/** Show `node` in its element; what is the same stays untouched. */
export function patchNode(
  target: HTMLElement,
  node: IDagNode,
  place: number,
  total: number,
  trans: ITrans
): void {
  const key = stateKey(node.state, node.cached);
  const [icon, words] = target.children;
  if (target.dataset.flState !== key) {
    icon.innerHTML = stateSvg(key);
  }
  setAttribute(target, 'data-fl-node', node.id);
  setAttribute(target, 'data-fl-state', key);
  setAttribute(target, 'aria-label', nodeLabel(node, place, total, trans));
  setAttribute(target, 'title', node.name);
  setText(words.children[0], node.name);
  setText(words.children[1], stateLabel(node.state, trans, node.cached));
  patchTime(target, node, Date.now());
}

/** Show how long it has run by now. */
export function patchTime(target: HTMLElement, node: IDagNode, now: number): void {
  setText(target.children[2], nodeTime(node, now));
}
