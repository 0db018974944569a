import type { Container, Grant, Host, Wave } from '../core/coordinator/fleet.ts';
import { decodeDocument } from './document.ts';

/** A container's document; one of before a field was there has what its lack meant. */
export const containerOf = (doc: string): Container => {
  const container = decodeDocument(doc) as Container;
  return {
    ...{ decided: null, optedOutOf: [] },
    ...container,
    view: { ...{ oldForm: false, rootNote: '', identity: null, died: false }, ...container.view },
  };
};

/** The same of a host. */
export const hostOf = (doc: string): Host => ({
  ...{
    needs: null,
    tried: [],
    refused: [],
    refreshAskedAt: null,
    gateSince: null,
    journalLostAt: null,
    resync: false,
    knowsMore: false,
    copied: null,
    generation: 0,
    echo: null,
    copiesMissing: false,
    problems: [],
  },
  ...(decodeDocument(doc) as Host),
});

/** The same of a grant. */
export const grantOf = (doc: string): Grant => ({
  ...{ waiting: null },
  ...(decodeDocument(doc) as Grant),
});

/** The same of a wave. */
export const waveOf = (doc: string): Wave => ({
  ...{ wall: { createdMs: null, startedMs: null, endedMs: null } },
  ...{ members: new Map(), upgrades: new Map() },
  ...(decodeDocument(doc) as Wave),
});
