/**
 * The chip while it is edited: a field for each of the settings that one sets most.
 *
 * A field is taken over when it is left or at Enter, which also closes; Escape leaves the field as it was.
 */
import { element, setText } from './dom';
import type { ITrans } from './text';

export type ChipField = 'name' | 'after' | 'cpu' | 'memory' | 'gpu' | 'packages';
export type ChipTexts = Record<ChipField, string>;

export interface IChipEditorOptions {
  /** Title of the step. */
  title: string;
  color: number;
  /** Names of the other steps, to wait for. */
  steps: readonly string[];
  trans: ITrans;
  /** Take a text over; the answer is why it cannot be, or nothing. */
  onChange: (field: ChipField, text: string) => string;
  /** All settings are wanted. */
  onMore: () => void;
  /** It is left; `back` where the focus should return to the chip. */
  onClose: (back: boolean) => void;
}

interface IField {
  input: HTMLInputElement;
  error: HTMLElement;
  /** The text as it was last given or taken over. */
  known: string;
}

let count = 0;

export class ChipEditor {
  constructor(private readonly options: IChipEditorOptions) {
    const { trans, title, color } = options;
    const id = `fl-chip-editor-${(count += 1)}`;
    const labels: [ChipField, string, string][] = [
      ['name', trans.__('Name'), ''],
      ['after', trans.__('After'), trans.__('steps')],
      ['cpu', trans.__('CPU'), '1'],
      ['memory', trans.__('Memory'), '2Gi'],
      ['gpu', trans.__('GPU'), '0'],
      ['packages', trans.__('Packages'), 'pandas==2.2.1']
    ];
    this._choices.id = `${id}-steps`;
    this.node = element('div', 'fl-Chip fl-ChipEditor', {
      'data-fl-chip-editor': title,
      'data-fl-color': String(color),
      // Keys that are typed here are not Lab's.
      'data-lm-suppress-shortcuts': 'true',
      role: 'group',
      'aria-label': trans.__('Step %1', title)
    });
    for (const [field, label, placeholder] of labels) {
      this.node.append(this._field(field, label, placeholder, id));
    }
    const more = element(
      'button',
      'fl-Link',
      { type: 'button', 'data-fl-action': 'step-settings' },
      trans.__('All settings…')
    );
    more.addEventListener('click', () => options.onMore());
    this.node.append(more, this._choices, this._errors);
    this.node.addEventListener('keydown', this._onKeyDown);
    this.node.addEventListener('focusout', this._onFocusOut);
  }

  readonly node: HTMLElement;

  /** Show other values, but not over what is being typed, and the errors of the analysis. */
  update(texts: ChipTexts, errors: Partial<ChipTexts>): void {
    for (const [name, field] of this._fields) {
      if (field.input.value === field.known) {
        field.input.value = texts[name];
      }
      field.known = texts[name];
      this._tell(field, errors[name] ?? '');
    }
  }

  focus(name: ChipField = 'name'): void {
    const input = this._fields.get(name)!.input;
    input.focus();
    input.select();
  }

  private _field(name: ChipField, label: string, placeholder: string, id: string): HTMLElement {
    const input = element('input', 'fl-Input', {
      id: `${id}-${name}`,
      type: 'text',
      spellcheck: 'false',
      autocomplete: 'off',
      placeholder,
      'aria-describedby': `${id}-${name}-error`
    });
    const error = element('div', 'fl-FormField-error', {
      id: `${id}-${name}-error`,
      'data-fl-error-of': name,
      role: 'alert'
    });
    error.hidden = true;
    this._errors.append(error);
    const field = { input, error, known: '' };
    this._fields.set(name, field);
    input.addEventListener('change', () => this._commit(name));
    if (name === 'after') {
      input.setAttribute('list', this._choices.id);
      input.addEventListener('input', () => this._offer(input.value));
      input.addEventListener('focus', () => this._offer(input.value));
    }
    return element(
      'div',
      `fl-ChipField fl-mod-${name}`,
      { 'data-fl-field': name },
      element('label', 'fl-ChipField-label', { for: input.id }, label),
      input
    );
  }

  /** Whether what stands in the field was taken over. */
  private _commit(name: ChipField): boolean {
    const field = this._fields.get(name)!;
    const text = field.input.value.trim();
    if (text === field.known) {
      return true;
    }
    const error = this.options.onChange(name, text);
    if (!error) {
      field.known = field.input.value = text;
    }
    this._tell(field, error);
    return !error;
  }

  private _tell(field: IField, error: string): void {
    setText(field.error, error);
    field.error.hidden = !error;
    field.input.setAttribute('aria-invalid', String(error !== ''));
  }

  /** The steps that are not yet named, each after those that are. */
  private _offer(text: string): void {
    const written = text.split(',').map(one => one.trim());
    const before = written.slice(0, -1).filter(Boolean);
    const left = this.options.steps.filter(step => !before.includes(step));
    this._choices.replaceChildren(
      ...left.map(step => element('option', '', { value: [...before, step].join(', ') }))
    );
  }

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    const [name, field] = [...this._fields].find(([, one]) => one.input === event.target) ?? [];
    if (event.key === 'Escape') {
      for (const one of this._fields.values()) {
        one.input.value = one.known;
      }
      this._close(true);
    } else if (event.key === 'Enter' && name && field && !event.isComposing) {
      if (this._commit(name)) {
        this._close(true);
      }
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  private readonly _onFocusOut = (event: FocusEvent): void => {
    const next = event.relatedTarget;
    // Another window is not another place in this one.
    if ((next instanceof Node && this.node.contains(next)) || !document.hasFocus() || this._closed) {
      return;
    }
    // What is refused stays, with its reason, until it is left with Escape.
    if ([...this._fields.keys()].map(name => this._commit(name)).every(Boolean)) {
      this._close(false);
    }
  };

  private _close(back: boolean): void {
    this._closed = true;
    this.options.onClose(back);
  }

  private readonly _fields = new Map<ChipField, IField>();
  /** Below the fields, which stay in one line. */
  private readonly _errors = element('div', 'fl-ChipEditor-errors');
  private readonly _choices = element('datalist', '');
  private _closed = false;
}
