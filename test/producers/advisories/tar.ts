/** An entry of an archive in the making. */
export interface TarPart {
  name: string;
  content: Uint8Array | string;
  /** As tar has it: `0` a file, `5` a directory, `x` what pax says of the next entry. */
  kind?: string;
}

const header = (name: string, kind: string, size: number): Buffer => {
  const block = Buffer.alloc(512);
  block.write(name, 0, 100);
  block.write('0000644\0', 100);
  block.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  block.write('        ', 148);
  block.write(kind, 156);
  block.write('ustar\u000000', 257);
  const sum = block.reduce((total, byte) => total + byte, 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return block;
};

/** A tar archive of these entries, as they are said to be. */
export const tar = (parts: readonly TarPart[]): Buffer =>
  Buffer.concat([
    ...parts.flatMap(({ name, content, kind = '0' }) => {
      const bytes = Buffer.from(content as Uint8Array);
      return [header(name, kind, bytes.length), bytes, Buffer.alloc(-bytes.length & 511)];
    }),
    Buffer.alloc(1024),
  ]);
