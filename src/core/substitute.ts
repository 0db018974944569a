/** What `{name}` and `{address}` stand for in commands and names of the host's configuration. */
export interface SubstitutedContainer {
  name: string;
  /** Null where the container's configuration has none. */
  address: string | null;
}

/**
 * `text` with `{name}` and `{address}` replaced, in one pass: what is put in is not looked at again,
 * and other braces stay. Throws where `{address}` is used and the container has none.
 */
export const substitute = (text: string, { name, address }: SubstitutedContainer): string =>
  text.replace(/\{(name|address)\}/g, (_, key) => {
    if (key === 'name') return name;
    if (address === null)
      throw new Error(
        `"${text}" uses {address}, but the configuration of container ${name} has no address (lxc.net.0.ipv4.address)`,
      );
    return address;
  });
