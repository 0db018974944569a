import { findAptRestarters } from '../apt/other-restarters.ts';
import type { OtherRestarter } from '../apt/other-restarters.ts';
import { findDnfRestarters } from '../dnf/other-restarters.ts';
import { packageSystemOf } from './package-system.ts';

/**
 * Everything below `root` that would restart containers, or the host, in package transactions and that Groundswell does
 * not control ("no second restarter").
 */
export const findOtherRestarters = (root: string): Promise<OtherRestarter[]> =>
  packageSystemOf(root) === 'dpkg' ? findAptRestarters(root) : findDnfRestarters(root);
