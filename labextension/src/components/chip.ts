/**
 * The chip over a step's first cell, and the notes about what cannot become a pipeline.
 */
import { element } from './dom';
import { stateKey, stateLabel, stateSvg } from './states';
import type { ITrans } from './text';

export interface IChip {
  name: string;
  title: string;
  reads: readonly string[];
  writes: readonly string[];
  /** Which of the eight step colours. */
  color: number;
  /** State in the run last started from here; null without one. */
  state: string | null;
  cached: boolean;
}

export interface INote {
  severity: 'error' | 'warning';
  line: number | null;
  name: string | null;
  message: string;
  hint: string;
}

const WARNING =
  '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false"><path fill="currentColor" fill-rule="evenodd" d="M8 1.2 15.4 14H.6zM7.2 6v4h1.6V6zm0 5v1.6h1.6V11z"/></svg>';

/** `train  ← X_train, y_train   model →`. */
export function chipElement(chip: IChip, trans: ITrans): HTMLElement {
  const { reads, writes, state } = chip;
  const made = element('div', 'fl-Chip', {
    'data-fl-chip': chip.name,
    'data-fl-color': String(chip.color),
    'data-fl-state': state === null ? null : stateKey(state, chip.cached),
    role: 'note',
    'aria-label': chipLabel(chip, trans),
    title: chipLabel(chip, trans)
  });
  if (state !== null) {
    const key = stateKey(state, chip.cached);
    const icon = element('span', 'fl-StateIcon', { 'data-fl-state': key, 'aria-hidden': 'true' });
    icon.innerHTML = stateSvg(key);
    made.append(icon);
  }
  made.append(element('span', 'fl-Chip-name', {}, chip.name));
  if (reads.length) {
    made.append(
      element('span', 'fl-Chip-reads', { 'data-fl-reads': reads.join(' ') }, `← ${reads.join(', ')}`)
    );
  }
  if (writes.length) {
    made.append(
      element('span', 'fl-Chip-writes', { 'data-fl-writes': writes.join(' ') }, `${writes.join(', ')} →`)
    );
  }
  return made;
}

/** The chip in words. */
export function chipLabel(chip: IChip, trans: ITrans): string {
  const words = [trans.__('Step %1', chip.name)];
  if (chip.state !== null) {
    words.push(stateLabel(chip.state, trans, chip.cached).toLowerCase());
  }
  if (chip.reads.length) {
    words.push(trans.__('reads %1', chip.reads.join(', ')));
  }
  if (chip.writes.length) {
    words.push(trans.__('writes %1', chip.writes.join(', ')));
  }
  return words.join('; ');
}

/** What is the matter with a cell, and the way out. */
export function noteElement(note: INote, trans: ITrans): HTMLElement {
  const icon = element('span', 'fl-Note-icon', { 'aria-hidden': 'true' });
  icon.innerHTML = WARNING;
  const where = note.line === null ? '' : trans.__('line %1: ', note.line);
  return element(
    'div',
    'fl-Note',
    {
      'data-fl-problem': note.name ?? '',
      'data-fl-severity': note.severity,
      role: 'note',
      'aria-label': note.severity === 'error' ? trans.__('Error') : trans.__('Warning')
    },
    icon,
    element(
      'span',
      'fl-Note-words',
      {},
      element('span', 'fl-Note-message', {}, `${where}${note.message}`),
      ' ',
      element('span', 'fl-Note-hint', {}, note.hint)
    )
  );
}
