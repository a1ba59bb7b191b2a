/**
 * Logs that grow while they are read.
 */

export interface ILogOptions {
  /** Go on until what writes it has ended. */
  follow: boolean;
  signal: AbortSignal;
  /** Called with each piece of text as it comes. */
  onText: (text: string) => void;
}

/** Read an answer as it comes; resolves at its end, or when aborted. */
export async function readLog(
  request: (query: string, signal: AbortSignal) => Promise<Response>,
  { follow, signal, onText }: ILogOptions
): Promise<void> {
  try {
    const response = await request(follow ? '?follow=1' : '', signal);
    const reader = response.body?.getReader();
    const decoder = new TextDecoder();
    for (;;) {
      const piece = await reader?.read();
      if (!piece || piece.done) {
        break;
      }
      onText(decoder.decode(piece.value, { stream: true }));
    }
  } catch (error) {
    if (!signal.aborted) {
      throw error;
    }
  }
}
