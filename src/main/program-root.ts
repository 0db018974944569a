import { fileURLToPath } from 'node:url';

/** The directory that holds `bin` and `packaging`: the same from `dist/src/main` and from `src/main`. */
export const programRoot = (): string => {
  const here = fileURLToPath(import.meta.url);
  const mark = here.includes('/dist/src/') ? '/dist/src/' : '/src/';
  return here.slice(0, here.lastIndexOf(mark));
};
