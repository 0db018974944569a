/**
 * What is said of a platform, as exactly as it is said: of `almalinux-9.4` what stands under `almalinux-9.4`, else under
 * `almalinux-9`. Undefined: nothing is.
 */
export const platformValue = <Value>(
  values: Readonly<Record<string, Value>>,
  platform: string,
): Value | undefined => {
  for (let id = platform; ; id = id.slice(0, id.lastIndexOf('.'))) {
    if (Object.hasOwn(values, id)) return values[id];
    if (!id.includes('.')) return undefined;
  }
};
