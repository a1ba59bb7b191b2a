/**
 * The edges of the DAG, one SVG below the nodes.
 */
import { setAttribute } from '../dom';
import { isActive } from '../states';
import type { ILayout } from './layout';
import type { IDagNode } from './types';

const SVG = 'http://www.w3.org/2000/svg';
let markers = 0;

/** Draw all edges anew; needed only when the shape has changed. */
export function drawEdges(svg: SVGSVGElement, layout: ILayout): void {
  // Ids are the document's: each graph needs its own.
  const marker = `fl-arrow-${++markers}`;
  svg.replaceChildren();
  svg.setAttribute('class', 'fl-Dag-edges');
  svg.setAttribute('aria-hidden', 'true');
  svg.setAttribute('width', String(layout.width));
  svg.setAttribute('height', String(layout.height));
  const defs = document.createElementNS(SVG, 'defs');
  defs.innerHTML =
    `<marker id="${marker}" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="9" markerHeight="9" markerUnits="userSpaceOnUse" ` +
    'orient="auto-start-reverse"><path d="M0 0.8 7.2 4 0 7.2z" fill="context-stroke"/></marker>';
  svg.append(defs);
  for (const edge of layout.edges) {
    const path = document.createElementNS(SVG, 'path');
    path.setAttribute('class', 'fl-Dag-edge');
    path.setAttribute('d', edge.path);
    path.setAttribute('marker-end', `url(#${marker})`);
    path.dataset.flSource = edge.source;
    path.dataset.flTarget = edge.target;
    if (edge.names?.length) {
      const title = document.createElementNS(SVG, 'title');
      title.textContent = edge.names.join(', ');
      path.append(title);
    }
    svg.append(path);
  }
}

/** Mark the edges of the selected node, and those into a step that runs. */
export function markEdges(
  svg: SVGSVGElement,
  nodes: ReadonlyMap<string, IDagNode>,
  selected: string | null
): void {
  for (const path of svg.querySelectorAll<SVGPathElement>('.fl-Dag-edge')) {
    const { flSource, flTarget } = path.dataset;
    const target = nodes.get(flTarget ?? '');
    const near = selected !== null && (flSource === selected || flTarget === selected);
    const flows = target?.state !== 'PENDING' && isActive(target?.state);
    setAttribute(path, 'data-fl-mark', near ? 'selected' : flows ? 'active' : '');
  }
}
