/**
 * ROC curves as SVG in the colours of the page, for front ends that draw no Vega-Lite.
 */
import { element } from '../dom';
import type { ITrans } from '../text';
import type { ISlice } from '../../previews';

const SPACE = 'http://www.w3.org/2000/svg';
const SIDE = 200;
const LEFT = 40;
const BOTTOM = 34;
const TOP = 8;
/** How many colours the style sheet has. */
const COLOURS = 6;

/** A slice's name and the area under its curve. */
export function sliceTitle(slice: ISlice, trans: ITrans): string {
  const area = slice.auc === null ? '' : trans.__('area %1', slice.auc.toFixed(3));
  return [slice.name, area].filter(Boolean).join(', ') || trans.__('all');
}

/** Draw the curves of all slices into one picture, with a legend where there are several. */
export function curves(slices: readonly ISlice[], trans: ITrans): HTMLElement {
  const [width, height] = [LEFT + SIDE + 8, TOP + SIDE + BOTTOM];
  const svg = svgOf('svg', {
    class: 'fl-Roc',
    viewBox: `0 0 ${width} ${height}`,
    width: String(width),
    height: String(height),
    'aria-hidden': 'true'
  });
  svg.append(
    svgOf('rect', { class: 'fl-Roc-frame', x: LEFT, y: TOP, width: SIDE, height: SIDE }),
    svgOf('path', { class: 'fl-Roc-chance', d: `M${place(0, 0)}L${place(1, 1)}` })
  );
  for (const share of [0, 0.5, 1]) {
    const [x, y] = [LEFT + share * SIDE, TOP + (1 - share) * SIDE];
    svg.append(
      words(String(share), { x, y: TOP + SIDE + 13, 'text-anchor': 'middle' }),
      words(String(share), { x: LEFT - 5, y: y + 4, 'text-anchor': 'end' })
    );
  }
  const middle = TOP + SIDE / 2;
  svg.append(
    words(trans.__('false positive rate'), {
      x: LEFT + SIDE / 2,
      y: TOP + SIDE + 28,
      'text-anchor': 'middle'
    }),
    words(trans.__('true positive rate'), {
      x: 10,
      y: middle,
      'text-anchor': 'middle',
      transform: `rotate(-90 10 ${middle})`
    })
  );
  slices.forEach((slice, number) => {
    const points = slice.points.map(({ fpr, tpr }) => place(fpr, tpr)).join(' ');
    svg.append(svgOf('polyline', { class: `fl-Roc-line fl-mod-colour${number % COLOURS}`, points }));
  });
  const legend = slices.map((slice, number) =>
    element(
      'li',
      `fl-Roc-key fl-mod-colour${number % COLOURS}`,
      {},
      element('span', '', {}, sliceTitle(slice, trans))
    )
  );
  const root = element('div', 'fl-Roc-host');
  root.append(svg);
  if (slices.length > 1) {
    root.append(element('ul', 'fl-Roc-legend', {}, ...legend));
  }
  return root;
}

const place = (fpr: number, tpr: number): string =>
  `${(LEFT + fpr * SIDE).toFixed(1)},${(TOP + (1 - tpr) * SIDE).toFixed(1)}`;

function svgOf(tag: string, attributes: Record<string, string | number>): SVGElement {
  const made = document.createElementNS(SPACE, tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, String(value));
  }
  return made;
}

function words(text: string, attributes: Record<string, string | number>): SVGElement {
  const made = svgOf('text', { class: 'fl-Roc-text', ...attributes });
  made.textContent = text;
  return made;
}
