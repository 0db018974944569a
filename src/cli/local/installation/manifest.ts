import { createHash } from 'node:crypto';
import { z } from 'zod';

/** What setup has made on this host, so that uninstall takes away that and nothing else. */
export const Manifest = z.strictObject({
  version: z.literal(1),
  /** Directories that were not there before, in the order in which they were made. */
  directories: z.array(z.string()),
  /** Path → SHA-256 of the content that was written, in the order in which it was. */
  files: z.record(z.string(), z.string()),
  /** The group `groundswell` was not there before. */
  group: z.boolean(),
  /** The unit that was enabled. */
  unit: z.string().nullable(),
});
export type Manifest = z.infer<typeof Manifest>;

export const emptyManifest: Manifest = {
  ...{ version: 1, directories: [], files: {}, group: false, unit: null },
};

export const contentHash = (content: string): string =>
  createHash('sha256').update(content).digest('hex');

/** Throws, with what to do, when the text is no manifest. */
export const parseManifest = (text: string, path: string): Manifest => {
  try {
    return Manifest.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} cannot be understood: put it back from a backup, or remove it and run \`groundswell setup\` again`,
      { cause: error },
    );
  }
};

export const formatManifest = (manifest: Manifest): string =>
  `${JSON.stringify(manifest, null, 2)}\n`;
