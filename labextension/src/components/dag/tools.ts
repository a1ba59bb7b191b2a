/**
 * The buttons of the graph: closer, further, all.
 */
import { element } from '../dom';
import type { ITrans } from '../text';
import type { Camera } from './camera';

const STEP = 1.25;

const svg = (path: string): string =>
  `<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false"><path fill="none" stroke="currentColor" stroke-width="1.6" stroke-linecap="round" d="${path}"/></svg>`;

/** Make the buttons. */
export function dagTools(camera: Camera, trans: ITrans): HTMLElement {
  const button = (name: string, label: string, path: string, act: () => void): HTMLElement => {
    const made = element('button', 'fl-Dag-tool', {
      type: 'button',
      'data-fl-dag-tool': name,
      'aria-label': label,
      title: label
    });
    made.innerHTML = svg(path);
    made.addEventListener('click', act);
    return made;
  };
  return element(
    'div',
    'fl-Dag-tools',
    { role: 'group', 'aria-label': trans.__('Zoom') },
    button('in', trans.__('Zoom in'), 'M8 3v10M3 8h10', () => camera.zoom(STEP)),
    button('out', trans.__('Zoom out'), 'M3 8h10', () => camera.zoom(1 / STEP)),
    button(
      'fit',
      trans.__('Show the whole graph'),
      'M2.5 6V2.5H6M10 2.5h3.5V6M13.5 10v3.5H10M6 13.5H2.5V10',
      () => camera.fit()
    )
  );
}
