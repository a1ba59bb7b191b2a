/**
 * What components that show artifacts are given.
 */

/**
 * Draws content with a renderer of the front end; returns how to take it away again, or null where it
 * has no renderer for this.
 */
export type DrawMime = (host: HTMLElement, mime: string, content: unknown) => (() => void) | null;
