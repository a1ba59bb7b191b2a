/**
 * Searching the graph by name: how many there are, and going from one to the next.
 */
import { element, setText } from '../dom';
import type { ITrans } from '../text';
import type { IDagNode } from './types';

export interface ISearchHost {
  /** All nodes, also those in folded scopes. */
  nodes(): Iterable<IDagNode>;
  /** Show these as found. */
  mark(ids: ReadonlySet<string>): void;
  /** Go to one of them. */
  go(id: string): void;
  leave(): void;
}

export class Search {
  constructor(
    private readonly host: ISearchHost,
    private readonly trans: ITrans
  ) {
    this._field.addEventListener('input', () => this._find());
    this._field.addEventListener('keydown', this._onKeyDown);
    this.node.append(this._field, this._count);
  }

  readonly node = element('div', 'fl-Dag-search', { role: 'search' });

  focus(): void {
    this._field.focus();
    this._field.select();
  }

  /** Look again: there may be other nodes now. */
  refresh(): void {
    if (this._field.value) {
      this._find();
    }
  }

  private _find(): void {
    const wanted = this._field.value.trim().toLowerCase();
    this._found = wanted
      ? [...this.host.nodes()].filter(node => node.name.toLowerCase().includes(wanted)).map(node => node.id)
      : [];
    this._here = -1;
    this.host.mark(new Set(this._found));
    this._tell(wanted);
  }

  private _tell(wanted: string): void {
    const { trans, _found: found, _here: here } = this;
    const place = here < 0 ? String(found.length) : trans.__('%1 of %2', here + 1, found.length);
    setText(this._count, wanted ? (found.length ? place : trans.__('none')) : '');
  }

  private readonly _onKeyDown = (event: KeyboardEvent): void => {
    if (event.key === 'Enter' && this._found.length) {
      const count = this._found.length;
      this._here = (this._here + (event.shiftKey ? -1 : 1) + count) % count;
      if (this._here < 0) {
        this._here = count - 1;
      }
      this._tell(this._field.value);
      this.host.go(this._found[this._here]);
    } else if (event.key === 'Escape') {
      this._field.value = '';
      this._find();
      this.host.leave();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  };

  private readonly _field = element('input', 'fl-Dag-searchField', {
    type: 'search',
    placeholder: this.trans.__('Search steps'),
    'aria-label': this.trans.__('Search steps: Enter goes to the next'),
    'data-fl-dag-search': ''
  });
  private readonly _count = element('span', 'fl-Dag-searchCount', { role: 'status' });
  private _found: string[] = [];
  private _here = -1;
}
