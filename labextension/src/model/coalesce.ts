/**
 * Many wishes, few answers: how models follow bursts of events.
 */

/** The least time between two reads of the same thing. */
const GAP_MS = 150;

/**
 * Wrap `work` so that it never runs twice at once. Calls that come while it runs are answered together
 * by one more run after it, which begins when a short gap has passed.
 */
export function coalesced(work: () => Promise<void>, gapMs = GAP_MS): () => Promise<void> {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  const start = (): Promise<void> => {
    const run = work().finally(() => {
      running = null;
    });
    running = run;
    return run;
  };
  return () => {
    if (!running) {
      return start();
    }
    next ??= running
      .catch(() => undefined)
      .then(() => new Promise<void>(resolve => setTimeout(resolve, gapMs)))
      .then(() => {
        next = null;
        // Somebody may have begun in the gap; what it reads is as new as ours would be.
        return running ?? start();
      });
    return next;
  };
}
