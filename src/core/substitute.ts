/** What `{name}` and `{address}` stand for in commands and names of the host's configuration. */
export interface SubstitutedContainer {
  name: string;
  /** Of its configuration, else of its network; null: it has none. */
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
        `"${text}" uses {address}, but container ${name} has no address now, neither in its configuration (lxc.net.0.ipv4.address) nor in its network`,
      );
    return address;
  });
