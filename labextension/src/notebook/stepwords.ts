/**
 * Settings of steps in words.
 */
import type { JSONObject } from '@lumino/coreutils';

import type { ILiveValue } from '../api/types';
import { bytes } from '../components/format';
import type { ITrans } from '../components/text';

/** What a chip says of the settings: only what decides where and with what a step runs. */
export function settingWords(settings: JSONObject, trans: ITrans): string[] {
  const { resources, packages, image } = settings;
  const words: string[] = [];
  if (typeof resources === 'object' && resources !== null && !Array.isArray(resources)) {
    for (const [name, amount] of Object.entries(resources)) {
      words.push(
        `${name.endsWith('/gpu') ? 'gpu' : name} ${typeof amount === 'string' ? amount : JSON.stringify(amount)}`
      );
    }
  }
  if (typeof image === 'string' && image) {
    words.push(image);
  }
  if (Array.isArray(packages) && packages.length) {
    words.push(trans._n('%1 package', '%1 packages', packages.length));
  }
  return words;
}

/** From this size on a value's size is worth its place. */
const WORTH_BYTES = 1000;

/** Sizes of values, by name: `1.2 MB`. */
export function sizeWords(values: ReadonlyMap<string, ILiveValue>): Record<string, string> {
  const entries = [...values].flatMap(([name, { size = 0, more }]) =>
    size < WORTH_BYTES ? [] : [[name, `${more ? '> ' : ''}${bytes(size)}`] as const]
  );
  return Object.fromEntries(entries);
}

/** Why a step cannot be called so. */
export function nameTroubleWords(trouble: 'empty' | 'taken', trans: ITrans): string {
  return trouble === 'empty'
    ? trans.__('A name needs a letter or digit.')
    : trans.__('Another step has this name. Choose one of its own.');
}
