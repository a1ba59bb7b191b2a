/**
 * Runs and artifacts as Python that gives them back. Pure.
 */

const KEYWORDS = new Set(
  (
    'False None True and as assert async await break class continue def del elif else except finally for ' +
    'from global if import in is lambda nonlocal not or pass raise return try while with yield'
  ).split(' ')
);

/** A name of Python for what is called so; it hides none of Python's own words. */
export function pythonName(name: string, otherwise: string): string {
  const plain = name
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9_]+/g, '_')
    .replace(/^_+|_+$/g, '')
    .toLowerCase();
  const usable = plain && !/^\d/.test(plain) && !KEYWORDS.has(plain) && plain !== 'fairlead';
  return usable ? plain : otherwise;
}

/** Code that finds the run and shows it. */
export function runCode(id: string): string {
  return `import fairlead\n\nrun = fairlead.get_run(${JSON.stringify(id)})\nrun`;
}

/** Code that finds the artifact and shows it. */
export function artifactCode(id: string, name: string): string {
  const variable = pythonName(name, 'artifact');
  return `import fairlead\n\n${variable} = fairlead.get_artifact(${JSON.stringify(id)})\n${variable}`;
}
