/** How much of somebody else's JSON is looked at. */
export interface Bounds {
  /** Of the text; for a value that is parsed already, of the text that it must have come from. */
  maxBytes: number;
  maxDepth: number;
}

export type Bounded = { kind: 'within'; value: unknown } | { kind: 'beyond'; reason: string };

/** Size of a value's JSON, never overestimated, walked without recursion so that depth cannot hurt. */
const measure = (root: unknown, { maxBytes, maxDepth }: Bounds): string | null => {
  let bytes = 0;
  const open: { value: unknown; depth: number }[] = [{ value: root, depth: 1 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { value, depth } = next;
    if (typeof value === 'string') bytes += Buffer.byteLength(value) + 2;
    else bytes += 1;
    if (bytes > maxBytes) return `longer than ${maxBytes} bytes`;
    if (typeof value !== 'object' || value === null) continue;
    if (depth > maxDepth) return `nested deeper than ${maxDepth} levels`;
    for (const [key, part] of Object.entries(value)) {
      // An array's index is not part of its text.
      if (!Array.isArray(value)) bytes += Buffer.byteLength(key) + 3;
      open.push({ value: part, depth: depth + 1 });
    }
    if (bytes > maxBytes) return `longer than ${maxBytes} bytes`;
  }
  return null;
};

/**
 * Takes JSON, as text or parsed by somebody else, only within bounds: everything after this may walk it
 * recursively. Never throws.
 */
export const readBoundedJson = (raw: unknown, bounds: Bounds): Bounded => {
  let value = raw;
  if (typeof raw === 'string') {
    if (Buffer.byteLength(raw) > bounds.maxBytes)
      return { kind: 'beyond', reason: `longer than ${bounds.maxBytes} bytes` };
    try {
      value = JSON.parse(raw) as unknown;
    } catch {
      return { kind: 'beyond', reason: 'no JSON' };
    }
  }
  const reason = measure(value, bounds);
  return reason === null ? { kind: 'within', value } : { kind: 'beyond', reason };
};
