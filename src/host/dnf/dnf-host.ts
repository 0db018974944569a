import type { ManagedHost } from '../packages/managed-host.ts';
import type { RpmPlace } from './rpm-place.ts';

/** Which dnf runs: 4 (also called yum), in Python, or 5, in C++. Options and messages differ. */
export type DnfGeneration = 4 | 5;

/** How dnf is run on this host. */
export interface DnfHost extends ManagedHost {
  /** `dnf`, `dnf5` or `yum`: what is there. */
  program: string;
  generation: DnfGeneration;
  /** Where rpm keeps its database. */
  rpm: RpmPlace;
}

/** Environment of every dnf and rpm that we run: messages in English, since they are read. */
export const dnfEnvironment = ({
  environment,
}: Pick<DnfHost, 'environment'>): Record<string, string> => ({
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  // rpm looks for its configuration there, some also for their database.
  HOME: '/root',
  LC_ALL: 'C.UTF-8',
  ...environment,
});

/**
 * Options of every dnf but a refresh: what was last fetched is what counts, so that nothing changes between a
 * simulation and its transaction.
 */
export const asFetched = ['--setopt=metadata_expire=-1', '--setopt=*.metadata_expire=-1'];

/** Options that show versions which an exclude hides. */
export const withoutExcludes = ({ generation }: Pick<DnfHost, 'generation'>): string[] =>
  generation === 5 ? ['--setopt=disable_excludes=*'] : ['--disableexcludes=all'];
