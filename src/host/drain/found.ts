import { z } from 'zod';

/**
 * What a drain found, and so what undoing it must put back. It names the server itself, so that it
 * can be undone by an agent that has crashed since, and after the configuration was changed.
 */
export const DrainFound = z.strictObject({
  /** Null: the service has none. `lost`: the journal that knew is lost (R15). */
  haproxy: z.union([
    z.strictObject({
      socket: z.string(),
      backend: z.string(),
      server: z.string(),
      /** `maint` and `drain` are an operator's doing and are left as they are (R28). */
      state: z.enum(['ready', 'maint', 'drain']),
    }),
    z.literal('lost'),
    z.null(),
  ]),
});
export type DrainFound = z.infer<typeof DrainFound>;

/** As the journal keeps it. */
export const formatFound = (found: DrainFound): string => JSON.stringify(found);

/** For a grant taken over from a lost journal: what its drain found is not known any more (R15). */
export const lostFound: string = formatFound({ haproxy: 'lost' });

/** Throws when the text is not what `formatFound` made. */
export const parseFound = (text: string): DrainFound => {
  try {
    return DrainFound.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(`the journal's note of what the drain found cannot be read: ${text}`, {
      cause: error,
    });
  }
};
