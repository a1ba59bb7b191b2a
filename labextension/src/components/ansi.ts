/**
 * Terminal output as text with classes: colours and weights, by the class names of Lab's own outputs.
 */
export interface ISpan {
  text: string;
  /** Empty for plain text. */
  className: string;
}

const NAMES = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white'];
// Colour sequences, and those that move the cursor or set titles, which a log has no use for.
const SEQUENCE = new RegExp(
  '\\u001b(?:' +
    '\\[([0-9;]*)m' +
    '|\\[[0-9;?]*[A-Za-ln-z]' +
    '|\\][^\\u0007]*(?:\\u0007|\\u001b\\\\)' +
    '|[=>()][A-Z0-9]?' +
    ')',
  'g'
);

/** How text is written at some place of a log. */
export interface IStyle {
  foreground: string;
  background: string;
  bold: boolean;
  italic: boolean;
  underline: boolean;
}

export const plainStyle = (): IStyle => ({
  foreground: '',
  background: '',
  bold: false,
  italic: false,
  underline: false
});

/** Split one line; `style` is what held before, and afterwards what holds behind. */
export function spans(line: string, style: IStyle): ISpan[] {
  const found: ISpan[] = [];
  const add = (text: string): void => {
    if (text) {
      found.push({ text, className: className(style) });
    }
  };
  let from = 0;
  for (const match of line.matchAll(SEQUENCE)) {
    add(line.slice(from, match.index));
    from = match.index + match[0].length;
    if (match[1] !== undefined) {
      apply(match[1].split(';').map(Number), style);
    }
  }
  add(line.slice(from));
  return found;
}

/** What a terminal shows of a line in which carriage returns begin anew, as progress bars do. */
export function lastReturn(line: string): string {
  const pieces = line.replace(/\r+$/, '').split('\r');
  return pieces[pieces.length - 1];
}

function apply(codes: number[], style: IStyle): void {
  for (let at = 0; at < codes.length; at++) {
    const code = codes[at];
    if (code === 0) {
      Object.assign(style, plainStyle());
    } else if (code === 1 || code === 22) {
      style.bold = code === 1;
    } else if (code === 3 || code === 23) {
      style.italic = code === 3;
    } else if (code === 4 || code === 24) {
      style.underline = code === 4;
    } else if (code === 38 || code === 48) {
      // 256 colours take two more numbers, true colours four; of the former the first 16 have names.
      const name = codes[at + 1] === 5 ? named(codes[at + 2]) : '';
      style[code === 38 ? 'foreground' : 'background'] = name;
      at += codes[at + 1] === 5 ? 2 : 4;
    } else if ((code >= 30 && code <= 39) || (code >= 90 && code <= 97)) {
      style.foreground = code === 39 ? '' : named(code >= 90 ? code - 82 : code - 30);
    } else if ((code >= 40 && code <= 49) || (code >= 100 && code <= 107)) {
      style.background = code === 49 ? '' : named(code >= 100 ? code - 92 : code - 40);
    }
  }
}

function named(index: number): string {
  const name = NAMES[index % 8];
  return index < 8 ? name : index < 16 ? `${name}-intense` : '';
}

function className(style: IStyle): string {
  return [
    style.foreground && `ansi-${style.foreground}-fg`,
    style.background && `ansi-${style.background}-bg`,
    style.bold && 'ansi-bold',
    style.italic && 'fl-ansi-italic',
    style.underline && 'ansi-underline'
  ]
    .filter(Boolean)
    .join(' ');
}
