/**
 * A log that grows: lines are added, the end stays in sight unless the reader went up.
 */
import { ISpan, IStyle, lastReturn, plainStyle, spans } from './ansi';
import { element, setText } from './dom';
import type { ITrans } from './text';

/** Older lines are taken away: a browser does not hold a million. */
const MOST_LINES = 5000;
const AT_END_PX = 24;

export type LogStatus = 'waiting' | 'following' | 'done' | 'cached' | 'empty';

export class LogView {
  constructor(
    host: HTMLElement,
    private readonly trans: ITrans
  ) {
    // Lab's colours for terminal output are those of its rendered text.
    this.node = element('div', 'fl-Log jp-RenderedText', { 'data-fl-log': '' });
    this._text = element('pre', 'fl-Log-text', {
      role: 'log',
      'aria-label': trans.__('Log'),
      'aria-live': 'off',
      tabindex: '0'
    });
    this._status = element('div', 'fl-Log-status', { role: 'status' });
    this.node.append(this._text, this._status);
    host.append(this.node);
  }

  readonly node: HTMLElement;

  /** Add what came; it may end in the middle of a line. */
  append(text: string): void {
    const atEnd = this._text.scrollHeight - this._text.scrollTop - this._text.clientHeight < AT_END_PX;
    const lines = (this._rest + text).split('\n');
    this._rest = lines.pop() ?? '';
    this._open?.remove();
    const added = document.createDocumentFragment();
    lines.slice(-MOST_LINES).forEach(line => added.append(lineElement(line, this._style)));
    this._open = this._rest ? lineElement(this._rest, { ...this._style }) : null;
    if (this._open) {
      added.append(this._open);
    }
    this._text.append(added);
    while (this._text.childElementCount > MOST_LINES) {
      this._text.firstElementChild?.remove();
      this._cut = true;
    }
    if (atEnd) {
      this._text.scrollTop = this._text.scrollHeight;
    }
  }

  /** Say below the text how the log stands. */
  status(state: LogStatus | { error: string }): void {
    this.node.dataset.flLog = typeof state === 'string' ? state : 'error';
    const cut = this._cut ? this.trans.__(' (the last %1 lines)', MOST_LINES) : '';
    setText(this._status, typeof state === 'string' ? this._word(state) + cut : state.error);
  }

  get isEmpty(): boolean {
    return this._text.childElementCount === 0;
  }

  dispose(): void {
    this.node.remove();
  }

  private _word(state: LogStatus): string {
    switch (state) {
      case 'waiting':
        return this.trans.__('Nothing has started yet.');
      case 'following':
        return this.trans.__('Following…');
      case 'done':
        return this.trans.__('End of the log');
      case 'cached':
        return this.trans.__('Nothing ran: the earlier result was taken.');
      case 'empty':
        return this.trans.__('Nothing was written.');
    }
  }

  private readonly _text: HTMLElement;
  private readonly _status: HTMLElement;
  private readonly _style: IStyle = plainStyle();
  private _rest = '';
  private _open: HTMLElement | null = null;
  private _cut = false;
}

function lineElement(line: string, style: IStyle): HTMLElement {
  const made = element('span', 'fl-Log-line');
  const parts: ISpan[] = spans(lastReturn(line), style);
  made.append(
    ...parts.map(part => (part.className ? element('span', part.className, {}, part.text) : part.text)),
    '\n'
  );
  return made;
}
