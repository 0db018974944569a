import { almaErrata } from './alma-errata/source.ts';
import { unchecked } from './apt-security/signed-text.ts';
import type { VerifySignature } from './apt-security/signed-text.ts';
import { createAptSecurity } from './apt-security/source.ts';
import { debianLists } from './debian-lists/source.ts';
import { debianTracker } from './debian-tracker/source.ts';
import type { AdvisorySource } from './feed-file.ts';
import { kev } from './kev/source.ts';
import { osv } from './osv/source.ts';
import { redhatCsaf } from './redhat-csaf/source.ts';
import type { RpmPlace } from './rpm-row.ts';
import { rockyErrata } from './rocky-errata/source.ts';
import { ubuntuNotices } from './ubuntu-notices/source.ts';
import { updateinfoSource } from './updateinfo/source.ts';

const aptSecurity = (alone: RpmPlace | null, verify: VerifySignature): AdvisorySource => {
  const options = { verify, now: () => new Date() };
  return createAptSecurity(
    alone?.distro === 'debian' || alone?.distro === 'ubuntu'
      ? { ...options, alone: { distro: alone.distro, release: alone.release } }
      : options,
  );
};

/**
 * Every kind of feed, by its name. What does not tell which distribution it is for, such as a repository of one's own, is
 * for `place`; so is an index of packages alone, where somebody names it by hand. Files that lie here are taken as they are, unless
 * `verify` is to check who has signed them; who fetches them does so himself.
 */
export const advisorySources = (
  place: RpmPlace | null = null,
  { byHand = false, verify = unchecked }: { byHand?: boolean; verify?: VerifySignature } = {},
): ReadonlyMap<string, AdvisorySource> =>
  new Map(
    [
      debianLists,
      debianTracker,
      ubuntuNotices,
      osv,
      updateinfoSource(place),
      almaErrata,
      rockyErrata,
      redhatCsaf,
      aptSecurity(byHand && verify === unchecked ? place : null, verify),
      kev,
    ].map((source) => [source.name, source]),
  );
