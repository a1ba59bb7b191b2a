/**
 * The details of one step, below the graph of a card.
 */
import { element } from '../dom';
import { bytes, duration, elapsedMs, instant, valueText } from '../format';
import { stateKey, stateLabel } from '../states';
import type { ITrans } from '../text';
import type { ICardNode, ICardPort } from './types';

/** Draw the details of `node` into `host`, in the place of what was there. */
export function drawDetails(
  host: HTMLElement,
  node: ICardNode | null,
  trans: ITrans,
  close: () => void
): void {
  host.replaceChildren();
  host.hidden = node === null;
  if (!node) {
    return;
  }
  host.dataset.flDetails = node.id;
  const button = element('button', 'fl-Card-close', { type: 'button', 'aria-label': trans.__('Close') }, '×');
  button.addEventListener('click', close);
  host.append(
    element(
      'div',
      'fl-Card-detailsHead',
      {},
      element('b', '', {}, node.name),
      element('span', 'fl-Card-detailsState', {}, facts(node, trans)),
      button
    )
  );
  if (node.error) {
    host.append(errorElement(node.error, trans));
  }
  host.append(
    ...ports(trans.__('Inputs'), node.inputs ?? []),
    ...ports(trans.__('Outputs'), node.outputs ?? [])
  );
}

/** An error with its cell and line. */
export function errorElement(error: NonNullable<ICardNode['error']>, trans: ITrans): HTMLElement {
  const made = element('pre', 'fl-Error-text', { role: 'alert', 'data-fl-error': '' }, error.message);
  // The server writes the place into the message; older ones did not.
  if (error.line !== null && error.line !== undefined && !/line \d/.test(error.message)) {
    made.append(trans.__(' (line %1)', error.line));
  }
  return made;
}

function facts(node: ICardNode, trans: ITrans): string {
  const ms = elapsedMs(node.started_at, node.finished_at, Date.now());
  const ran = ms !== null && stateKey(node.state, node.cached) !== 'CACHED';
  return [
    stateLabel(node.state, trans, node.cached),
    ran && node.finished_at ? duration(ms) : '',
    ran ? trans.__('started %1', instant(node.started_at)) : ''
  ]
    .filter(Boolean)
    .join(' · ');
}

function ports(title: string, list: readonly ICardPort[]): Node[] {
  if (list.length === 0) {
    return [];
  }
  const rows = list.map(port => {
    const what = port.kind === 'parameter' ? valueText(port.value) : (port.type ?? '');
    const cells = [
      port.names?.join(', ') || port.name,
      what,
      [port.format, bytes(port.size)].filter(Boolean).join(', ')
    ];
    return element('tr', '', {}, ...cells.map(text => element('td', '', {}, text)));
  });
  return [
    element('div', 'fl-Card-sub', {}, title),
    element('table', 'fl-Table', {}, element('tbody', '', {}, ...rows))
  ];
}
