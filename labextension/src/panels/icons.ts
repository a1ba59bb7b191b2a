/**
 * Fairlead's own icon: a line led through a ring.
 */
import { LabIcon } from '@jupyterlab/ui-components';

export const fairleadIcon = new LabIcon({
  name: 'fairlead:icon',
  svgstr: `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16" viewBox="0 0 24 24">
  <g class="jp-icon3" fill="none" stroke="#616161" stroke-width="2" stroke-linecap="round">
    <circle cx="12" cy="12" r="4.6"/>
    <path d="M2 19c4.6 0 6.2-2.6 7.2-4.6M14.8 9.6C15.8 7.6 17.4 5 22 5"/>
    <path d="M5 6.5 8.2 8.8M19 17.5l-3.2-2.3"/>
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
