import { withoutDenied } from './denials.ts';
import type { FleetImage } from './fleet-units.ts';
import type { Finding } from './match.ts';
import { mergeFindings } from './merge-findings.ts';
import { findingKey, needsOf } from './needs.ts';
import type { Need, NeedsOptions } from './needs.ts';

const pendingIn = ({ installed, trackers }: FleetImage): Finding[] =>
  installed.flatMap(({ found, denied }) =>
    withoutDenied([...found.values()].flat(), denied, trackers),
  );

/** What is missing of an image: each thing once, however many feeds carry it. */
export const missingIn = (image: FleetImage): Finding[] =>
  mergeFindings(pendingIn(image), image.trackers);

/** By `findingKey`: what is fixed once that is installed which the repositories of an image's hosts offer. */
const appliedIn = ({ offered }: FleetImage): Pick<ReadonlySet<string>, 'has'> => ({
  has: (key) => {
    const space = key.lastIndexOf(' ');
    return offered.get(key.slice(space + 1))?.found.has(key.slice(0, space)) ?? false;
  },
});

/** Whether the repositories of an image's hosts offer the fix of a finding. */
export const isOfferedIn = (image: FleetImage, finding: Finding): boolean =>
  appliedIn(image).has(findingKey(finding));

export type Moment = Pick<NeedsOptions, 'isExploited' | 'firstSeen' | 'now'>;

/** The needs of an image as they are now. */
export const imageNeeds = (image: FleetImage, moment: Moment): Need[] =>
  needsOf({
    ...moment,
    ...{ scheme: image.place.scheme, trackers: image.trackers },
    pending: pendingIn(image),
    appliedByOffers: appliedIn(image),
    ...{ offers: image.offers, held: image.held },
  });
