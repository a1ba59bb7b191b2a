/**
 * Finding words in source text. Pure.
 */

/** Where a name stands in a line as a word of its own; without it, the line's text. */
export function spansOf(name: string | null, text: string): [number, number][] {
  const word = name && /^\w+$/.test(name) ? new RegExp(`(?<!\\w)${name}(?!\\w)`, 'g') : null;
  const found = word
    ? [...text.matchAll(word)].map((match): [number, number] => [match.index, match.index + match[0].length])
    : [];
  const trimmed = text.trim();
  const start = text.indexOf(trimmed);
  return found.length || !trimmed ? found : [[start, start + trimmed.length]];
}
