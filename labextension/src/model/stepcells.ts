/**
 * How cells speak of steps: titles, waiting, settings, headings. Pure.
 */
import type { JSONObject, JSONValue, PartialJSONObject } from '@lumino/coreutils';

import type { IStep } from '../api/types';

/** What decides about steps in a cell. */
export interface IStepCell {
  id: string;
  type: string;
  source: string;
  tags: string[];
  /** `metadata.fairlead`. */
  fairlead: PartialJSONObject;
}

/** A tag that names a step, and one that waits for one; `block:` and `prev:` are Kale's words. */
export const STEP_TAG = /^(step|block):\s*(.*)$/;
export const AFTER_TAG = /^(after|prev):\s*(.*)$/;
const HEADING = /^( {0,3}#{1,6}[ \t]+)(.+?)([ \t]*#*[ \t]*)$/;
const FENCE = /^ {0,3}(```|~~~)/;

/** The name of a step of that title, as long as it needs no hash. */
export function slug(title: string): string {
  return title
    .normalize('NFKD')
    .replace(/[^\p{ASCII}]/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+|-+$/g, '');
}

/** The title that a cell gives its step; empty where it continues the step before. */
export function titleOf(cell: IStepCell): string {
  const { step } = cell.fairlead;
  const [named = ''] = textsOf(cell.tags, STEP_TAG);
  return (typeof step === 'string' && step ? step : named).trim();
}

/** The settings of a step, from all of its cells; maps are joined. */
export function settingsOf(cells: readonly IStepCell[], step: IStep): JSONObject {
  const found: JSONObject = {};
  for (const cell of cells.filter(one => step.cell_ids.includes(one.id))) {
    for (const [key, value] of Object.entries(cell.fairlead)) {
      const known = found[key];
      if (value === undefined || key === 'step' || key === 'after') {
        continue;
      }
      const both = isMap(known) && isMap(value);
      found[key] = (both ? { ...value, ...known } : (known ?? value)) as JSONValue;
    }
  }
  return found;
}

const isMap = (value: unknown): value is JSONObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** How a cell writes that it waits for a step. */
export const titleFor = (step: IStep): string => (slug(step.title) === step.name ? step.title : step.name);

/** What its tags say that it waits for. */
export const afterTags = (cell: IStepCell): string[] => textsOf(cell.tags, AFTER_TAG);

/** What tags of a kind say. */
function textsOf(tags: readonly string[], kind: RegExp): string[] {
  return tags.flatMap(tag => kind.exec(tag)?.[2] ?? []);
}

/** The word with which cells tag, as they do already. */
export function wordOf(cells: readonly IStepCell[], kind: RegExp, usual: string): string {
  const [tag] = cells.flatMap(cell => cell.tags).filter(one => kind.test(one));
  return kind.exec(tag ?? '')?.[1] ?? usual;
}

/** What its metadata say that it waits for. */
export function afterList(cell: IStepCell): string[] {
  const { after } = cell.fairlead;
  const listed: unknown[] = typeof after === 'string' ? [after] : Array.isArray(after) ? after : [];
  return listed.filter((text): text is string => typeof text === 'string' && text !== '');
}

/** The last heading of a markdown text. */
export function lastHeading(source: string): { text: string; line: number } | null {
  let fenced = false;
  let found: { text: string; line: number } | null = null;
  source.split('\n').forEach((text, line) => {
    if (FENCE.test(text)) {
      fenced = !fenced;
    }
    const match = fenced ? null : HEADING.exec(text);
    if (match) {
      found = { text: match[2], line };
    }
  });
  return found;
}

/** Write another title into the heading of a line. */
export function replaceLine(source: string, line: number, title: string): string {
  const lines = source.split('\n');
  lines[line] = lines[line].replace(HEADING, (_, head: string, __, tail: string) => head + title + tail);
  return lines.join('\n');
}
