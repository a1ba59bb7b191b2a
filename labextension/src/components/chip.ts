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
  /** What was set for it, in few words: `cpu 2`, `memory 4Gi`, `2 packages`. */
  settings: readonly string[];
  /** What is known of values that it writes, by name: their size, of a live kernel. */
  sizes?: Readonly<Record<string, string>>;
}

/** What one can do with a chip; without it the chip only tells. */
export interface IChipActions {
  onEdit: () => void;
  /** Show the menu below the button. */
  onMenu: (button: HTMLElement) => void;
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

const DOTS =
  '<svg viewBox="0 0 16 16" width="14" height="14" aria-hidden="true" focusable="false"><path fill="currentColor" d="M3 6.7a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6zm5 0a1.3 1.3 0 1 1 0 2.6 1.3 1.3 0 0 1 0-2.6z"/></svg>';

/** `train  ← X_train, y_train   model →`. */
export function chipElement(chip: IChip, trans: ITrans, actions: IChipActions | null = null): HTMLElement {
  const label = chipLabel(chip, trans);
  const made = element('div', 'fl-Chip', {
    'data-fl-chip': chip.name,
    'data-fl-color': String(chip.color),
    'data-fl-state': chip.state === null ? null : stateKey(chip.state, chip.cached),
    role: actions ? 'group' : 'note',
    'aria-label': label,
    title: label
  });
  if (!actions) {
    made.append(...faceOf(chip));
    return made;
  }
  // Lab's keys of a notebook in command mode, Enter among them, are not meant for a button.
  made.setAttribute('data-lm-suppress-shortcuts', 'true');
  const face = element(
    'button',
    'fl-Chip-face',
    { type: 'button', 'data-fl-action': 'edit-step', 'aria-label': trans.__('Edit %1', label) },
    ...faceOf(chip)
  );
  face.addEventListener('click', () => actions.onEdit());
  face.addEventListener('keydown', event => {
    if (event.key === 'F2') {
      event.preventDefault();
      actions.onEdit();
    }
  });
  const menu = element('button', 'fl-Chip-menu', {
    type: 'button',
    'data-fl-action': 'step-menu',
    'aria-haspopup': 'menu',
    'aria-label': trans.__('More about step %1', chip.name)
  });
  menu.innerHTML = DOTS;
  menu.addEventListener('click', () => actions.onMenu(menu));
  made.append(face, menu);
  return made;
}

function faceOf(chip: IChip): HTMLElement[] {
  const { reads, writes, settings, state } = chip;
  const made: HTMLElement[] = [];
  if (state !== null) {
    const key = stateKey(state, chip.cached);
    const icon = element('span', 'fl-StateIcon', { 'data-fl-state': key, 'aria-hidden': 'true' });
    icon.innerHTML = stateSvg(key);
    made.push(icon);
  }
  made.push(element('span', 'fl-Chip-name', {}, chip.name));
  if (reads.length) {
    made.push(
      element('span', 'fl-Chip-reads', { 'data-fl-reads': reads.join(' ') }, `← ${reads.join(', ')}`)
    );
  }
  if (writes.length) {
    const names = writes.flatMap((name, index) => {
      const size = chip.sizes?.[name];
      const comma = index < writes.length - 1 ? ', ' : ' →';
      return size ? [`${name} `, element('span', 'fl-Chip-size', {}, size), comma] : [name + comma];
    });
    made.push(element('span', 'fl-Chip-writes', { 'data-fl-writes': writes.join(' ') }, ...names));
  }
  if (settings.length) {
    made.push(element('span', 'fl-Chip-settings', {}, settings.join(' · ')));
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
    const names = chip.writes.map(name => [name, chip.sizes?.[name]].filter(Boolean).join(' '));
    words.push(trans.__('writes %1', names.join(', ')));
  }
  words.push(...chip.settings);
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
