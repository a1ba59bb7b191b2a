/**
 * One node of the DAG: its element, its words, and how it is patched.
 */
import { element, setAttribute, setText } from '../dom';
import { clock, duration, elapsedMs } from '../format';
import { isActive, stateKey, stateLabel, stateSvg } from '../states';
import type { ITrans } from '../text';
import type { IShownNode } from './fold';
import type { IDagNode } from './types';

const CARET =
  '<svg viewBox="0 0 10 10" width="10" height="10" aria-hidden="true" focusable="false"><path fill="currentColor" d="M3 1.5 7.5 5 3 8.5z"/></svg>';

/** What a scope is, in a word; empty for a step. */
export function kindLabel(type: string | undefined, trans: ITrans): string {
  switch (type) {
    case 'LOOP':
      return trans.__('loop');
    case 'DAG':
      return trans.__('sub-pipeline');
    case 'CONDITION':
      return trans.__('branch');
    case 'CONDITION_BRANCH':
      return trans.__('branches');
    case 'EXIT_HANDLER':
      return trans.__('with exit handler');
    case 'IMPORTER':
      return trans.__('importer');
    default:
      return '';
  }
}

/** A condition without the compiler's words around the names of values. */
export function conditionText(condition: string): string {
  return condition.replace(
    /inputs\.(?:parameter_values|parameters)\[(['"])(?:pipelinechannel--)?(.*?)\1\](?:\.\w+_value)?/g,
    '$2'
  );
}

/** `train, running, 2 of 6`; of a scope also what it is, and how far. */
export function nodeLabel(node: IShownNode, place: number, total: number, trans: ITrans): string {
  return [nodeWords(node, trans), trans.__('%1 of %2', place, total)].join(', ');
}

/** All that but its place. */
export function nodeWords(node: IShownNode, trans: ITrans): string {
  const words = [node.name, kindLabel(node.type, trans)];
  if (node.iterations) {
    words.push(trans._n('%1 iteration', '%1 iterations', node.iterations));
  }
  if (node.condition) {
    words.push(conditionText(node.condition));
  }
  words.push(node.note ?? stateLabel(node.state, trans, node.cached).toLowerCase());
  if (node.scope !== 'none') {
    words.push(trans.__('%1 of %2 steps done', node.done, node.total));
  }
  return words.filter(Boolean).join(', ');
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
  const caret = element('span', 'fl-Dag-caret', { 'data-fl-fold-toggle': '' });
  caret.innerHTML = CARET;
  return element(
    'div',
    'fl-Dag-node',
    { role: 'button', tabindex: '-1' },
    caret,
    element('span', 'fl-Dag-icon'),
    element('span', 'fl-Dag-words', {}, element('span', 'fl-Dag-name'), element('span', 'fl-Dag-state')),
    element('span', 'fl-Dag-time')
  );
}

/** Show `node` in its element; what is the same stays untouched. */
export function patchNode(
  target: HTMLElement,
  node: IShownNode,
  place: number,
  total: number,
  trans: ITrans
): void {
  const key = stateKey(node.state, node.cached);
  const [, icon, words] = target.children;
  if (target.dataset.flState !== key) {
    icon.innerHTML = node.note === undefined ? stateSvg(key) : '';
  }
  setAttribute(target, 'data-fl-node', node.id);
  if (node.color !== undefined) {
    setAttribute(target, 'data-fl-color', String(node.color));
  }
  setAttribute(target, 'data-fl-state', key);
  setAttribute(target, 'data-fl-scope', node.scope);
  setAttribute(target, 'data-fl-type', node.type ?? '');
  setAttribute(target, 'aria-label', nodeLabel(node, place, total, trans));
  setAttribute(target, 'title', [node.name, node.condition].filter(Boolean).join('\n'));
  if (node.scope === 'none') {
    target.removeAttribute('aria-expanded');
    target.removeAttribute('aria-keyshortcuts');
  } else {
    setAttribute(target, 'aria-expanded', String(node.scope === 'open'));
    setAttribute(target, 'aria-keyshortcuts', 'Space');
  }
  setText(words.children[0], node.name);
  setText(words.children[1], stateLine(node, trans));
  patchTime(target, node, Date.now());
}

/** Show how long it has run by now. */
export function patchTime(target: HTMLElement, node: IDagNode, now: number): void {
  setText(target.children[3], nodeTime(node, now));
}

function stateLine(node: IShownNode, trans: ITrans): string {
  if (node.note !== undefined) {
    return node.note;
  }
  // A branch needs the room for its condition; its state is in its shape and its label.
  const words = [node.condition ? conditionText(node.condition) : stateLabel(node.state, trans, node.cached)];
  if (node.scope !== 'none' && node.total > 0 && !(node.condition && node.scope === 'open')) {
    words.unshift(`${node.done}/${node.total}`);
  }
  return words.join(' · ');
}
