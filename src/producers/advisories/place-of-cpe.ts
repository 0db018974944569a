import { productChannel } from '../../core/advisories/red-hat-products.ts';
import type { RpmPlace } from './rpm-row.ts';

/** Products of RHEL whose updates need a subscription of their own, for a minor release that others have left. */
const STREAMS = new Set(['eus', 'e4s', 'aus', 'tus', 'els', 'eus_long_life', 'mission_critical']);

/** What has packages that nothing else has: who has one has the product. */
const ADDED = new Set([
  ...[
    'extras_rt',
    'extras_nfv',
    'extras_sap',
    'extras_sap_hana',
    'extras_oracle_java',
    'extras_other',
  ],
]);

/**
 * Where the packages of a product are installed: the release that its CPE names, and for a product stream or one that is
 * installed beside the distribution (`openstack:17.1::el9`) its channel. Null for what is not installed on RHEL as packages.
 */
export const placeOfCpe = (cpe: string): RpmPlace | null => {
  const [, product, version, rest] =
    /^cpe:\/[ao]:redhat:([a-z0-9_.~-]{1,80}):(\d{1,4}(?:\.\d{1,4}){0,3})?((?::.{0,100})?)$/.exec(
      cpe,
    ) ?? [];
  if (product === undefined || rest === undefined) return null;
  const [major] = (version ?? '').split('.');
  const el = /:el(\d{1,2})$/.exec(rest)?.[1];
  if (product === 'enterprise_linux' && major !== undefined && major !== '')
    return { distro: 'rhel', release: major, channel: null };
  const stream = product.startsWith('rhel_') ? product.slice('rhel_'.length) : '';
  if (STREAMS.has(stream) && version !== undefined)
    return { distro: 'rhel', release: version, channel: stream };
  if (ADDED.has(stream) && major !== undefined && major !== '')
    return { distro: 'rhel', release: major, channel: null };
  if (stream === 'extras' && major !== undefined && major !== '')
    return { distro: 'rhel', release: major, channel: 'extras' };
  if (el === undefined) return null;
  return { distro: 'rhel', release: el, channel: productChannel(product, version) };
};
