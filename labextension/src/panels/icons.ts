/**
 * Fairlead's own icon: a line led through a ring.
 */
import { LabIcon } from '@jupyterlab/ui-components';

export const fairleadIcon = new LabIcon({
  name: 'fairlead:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="2" stroke-linecap="round">
    <circle cx="12" cy="12" r="6"/>
    <path d="M2 20C7 20 9.5 15 12 12S17 4 22 4"/>
  </g>
</svg>`
});

/** Two columns of different height. */
export const compareIcon = new LabIcon({
  name: 'fairlead:compare',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" style="fill:none" stroke="#616161" stroke-width="2" stroke-linejoin="round">
    <path d="M4 9h6v11H4zM14 4h6v16h-6z"/>
  </g>
</svg>`
});

export const runPipelineIcon = new LabIcon({
  name: 'fairlead:run-pipeline',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M5 3.6a2.4 2.4 0 1 1-1 4.58v7.64a2.4 2.4 0 1 1-1.6 0V8.18A2.4 2.4 0 0 1 5 3.6z" transform="translate(.6 0)"/>
    <path d="M10.5 5.5v13l10.5-6.5z"/>
  </g>
</svg>`
});

/** Two bars. */
export const suspendIcon = new LabIcon({
  name: 'fairlead:suspend',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="#616161">
    <path d="M6 5h4v14H6zM14 5h4v14h-4z"/>
  </g>
</svg>`
});
