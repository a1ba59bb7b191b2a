/**
 * What Lab's packages expect of a browser and jsdom lacks.
 */
if (!('DragEvent' in globalThis)) {
  Object.assign(globalThis, { DragEvent: class extends MouseEvent {} });
}
window.matchMedia ??= (media: string) =>
  Object.assign(new EventTarget(), { matches: false, media }) as unknown as MediaQueryList;
