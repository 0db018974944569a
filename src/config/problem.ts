/** Something wrong in the configuration: where, and what is allowed there. */
export interface Problem {
  /** A file, or `environment variable NAME`. */
  file: string;
  /** From 1; null where there is none to name. */
  line: number | null;
  column: number | null;
  /** Dotted path of the option, such as `services[0].budget`; empty: the whole file. */
  option: string;
  message: string;
}

/** `file:line:column: option: message`, as compilers say it. */
export const formatProblem = ({ file, line, column, option, message }: Problem): string =>
  [
    line === null ? file : `${file}:${line}:${column ?? 1}`,
    ...(option === '' ? [] : [option]),
    message,
  ].join(': ');

/** `services[0].health.port` from the path of a Zod issue. */
export const formatOption = (path: readonly PropertyKey[]): string =>
  path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index === 0 ? '' : '.'}${String(part)}`,
    )
    .join('');
