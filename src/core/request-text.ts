import { z } from 'zod';

/** Half a surrogate pair: JSON carries it (`"\ud83d"`), and nothing that is signed can. */
const half = /\p{Surrogate}/u;

const textOf = (most: number): z.ZodString =>
  z
    .string()
    .max(most, `want at most ${most} characters`)
    .refine(
      (text) => !half.test(text),
      'want whole characters: half of one (a lone surrogate) is in it',
    );

/** Why somebody asks for something: it stands whole in control records and in the audit. */
export const ReasonText = textOf(2_000);

/** What a wave, a service, a freeze or a machine is called. */
export const NameText = textOf(200);

/** Who asks. */
export const ActorText = NameText.min(1);
