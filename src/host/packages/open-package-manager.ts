import { aptManager } from '../apt/apt-manager.ts';
import { dnfManager } from '../dnf/dnf-manager.ts';
import { findRpmPlace } from '../dnf/rpm-place.ts';
import type { ManagedHost } from './managed-host.ts';
import type { PackageManager } from './package-manager.ts';
import { packageSystemOf } from './package-system.ts';

/** The package manager of this host: apt over dpkg, or dnf (yum) over rpm. */
export const openPackageManager = (host: ManagedHost): PackageManager =>
  packageSystemOf('/') === 'dpkg'
    ? aptManager({ ...host, root: '/' })
    : // One that has never had a database is read when it has one.
      dnfManager({ ...host, rpm: findRpmPlace('/') ?? { root: '/', dbPath: '/var/lib/rpm' } });
