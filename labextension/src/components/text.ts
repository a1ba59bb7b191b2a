/**
 * Words of the components. Inside Lab they come from Lab's translator, elsewhere in plain English.
 */

/** What is put into a sentence. */
export type Word = string | number;

/** The part of Lab's `TranslationBundle` that components use. */
export interface ITrans {
  __(msgid: string, ...args: Word[]): string;
  _n(msgid: string, msgidPlural: string, n: number, ...args: Word[]): string;
}

const filled = (text: string, args: readonly Word[]): string =>
  text.replace(/%(\d+)/g, (_, place: string) => String(args[Number(place) - 1] ?? ''));

/** English, for front ends without Lab's translator. */
export const plainTrans: ITrans = {
  __: (msgid, ...args) => filled(msgid, args),
  _n: (msgid, msgidPlural, n, ...args) => filled(n === 1 ? msgid : msgidPlural, [n, ...args])
};
