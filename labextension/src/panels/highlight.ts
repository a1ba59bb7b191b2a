/**
 * Source text in Lab's colours.
 */
import type { IEditorLanguageRegistry } from '@jupyterlab/codemirror';

import type { Highlight } from './notebookview';

export function highlighter(languages: IEditorLanguageRegistry | null): Highlight {
  return (source, language, host) => {
    const found = languages?.findBest(language);
    if (languages && found) {
      host.textContent = '';
      languages.highlight(source, found, host).catch(() => {
        host.textContent = source;
      });
    }
  };
}
