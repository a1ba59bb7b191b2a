/**
 * A page that a task wrote, in a frame of its own. Nothing of it is trusted.
 *
 * The frame has no origin: its scripts run, but reach neither Lab, nor cookies, nor storage. The policy
 * leaves it no network, so nothing that it holds goes anywhere. It cannot open windows, send forms, or
 * move the page around it; a frame that moves itself is taken away.
 */
import { element } from '../dom';
import type { ITrans } from '../text';

/** What a page may do in its frame: run its own script and draw. */
export const FRAME_POLICY = [
  "default-src 'none'",
  "script-src 'unsafe-inline'",
  "style-src 'unsafe-inline'",
  'img-src data: blob:',
  'font-src data:',
  'media-src data: blob:',
  "form-action 'none'",
  "base-uri 'none'"
].join('; ');

export function htmlFrame(
  html: string,
  name: string,
  trans: ITrans
): { node: HTMLElement; dispose: () => void } {
  const frame = element('iframe', 'fl-Frame', {
    sandbox: 'allow-scripts',
    referrerpolicy: 'no-referrer',
    title: name,
    'data-fl-frame': '',
    // Browsers that know it hold to the policy whatever the frame may load later.
    csp: FRAME_POLICY
  });
  const host = element('div', 'fl-Frame-host', {}, frame);
  let loads = 0;
  frame.addEventListener('load', () => {
    loads += 1;
    if (loads > 1) {
      const words = trans.__('This page tried to go elsewhere, and was closed.');
      host.replaceChildren(
        element('p', 'fl-Preview-none', { role: 'alert', 'data-fl-frame-closed': '' }, words)
      );
    }
  });
  // The policy comes first: the parser holds all that follows to it.
  frame.srcdoc = `<!doctype html><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${FRAME_POLICY}">${html}`;
  return { node: host, dispose: () => frame.remove() };
}
