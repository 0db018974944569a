import { canonicalText, recordText } from '../../src/audit/bundle-lines.ts';
import { chainRecord, chainStart } from '../../src/audit/chain.ts';
import type { AuditEntry, Link } from '../../src/audit/chain.ts';
import {
  checkpointLink,
  createChainTree,
  makeCheckpoint,
  noCheckpoint,
} from '../../src/audit/checkpoint.ts';
import type { Checkpoint, CheckpointLink, Leaf } from '../../src/audit/checkpoint.ts';
import { endLine, startLine } from '../../src/audit/export-bundle.ts';
import { newSigningKey, verifyKeyOf } from '../../src/jobs/signing-key.ts';
import type { SigningKey } from '../../src/jobs/signing-key.ts';

export const serverKey = newSigningKey();
export const believed = new Map([[serverKey.id, verifyKeyOf(serverKey).publicKey]]);

const startMs = Date.parse('2026-11-29T10:00:00Z');

/** Writes a trail as a server does, line by line. */
export interface Trail {
  lines: string[];
  checkpoints: Checkpoint[];
  record: (chain: string, entry?: Partial<AuditEntry>) => void;
  checkpoint: () => void;
  /** All of it, with start and end. */
  whole: () => string[];
}

export const newTrail = (key: SigningKey = serverKey): Trail => {
  const links = new Map<string, Link>();
  const tree = createChainTree();
  let grown: string[] = [];
  let last: CheckpointLink = noCheckpoint;
  let records = 0;
  let nowMs = startMs;
  const lifeOf = (chain: string): string => (chain === 'server' ? '' : `life-of-${chain}`);
  const trail: Trail = {
    lines: [],
    checkpoints: [],
    record: (chain, entry = {}) => {
      const life = lifeOf(chain);
      nowMs += 1_000;
      records += 1;
      const { seq, hash, record } = chainRecord(links.get(chain) ?? chainStart, {
        ...{ at: new Date(nowMs).toISOString(), serverTime: records * 1000.123, life },
        host: chain === 'server' ? '@server' : chain,
        ...{ actor: chain === 'server' ? 'ann@ops' : `agent ${chain}`, action: 'noted' },
        ...{ subject: chain, service: null, cause: null, wave: null, grant: null, outcome: null },
        details: {},
        ...entry,
      });
      links.set(chain, { seq, hash });
      if (!grown.includes(chain)) grown.push(chain);
      trail.lines.push(recordText({ chain, life, seq, hash }, canonicalText(record)));
    },
    checkpoint: () => {
      const changed = grown.map((chain): Leaf => {
        const { seq, hash } = links.get(chain) ?? chainStart;
        return [chain, lifeOf(chain), seq, hash];
      });
      grown = [];
      for (const leaf of changed) tree.set(leaf);
      nowMs += 1_000;
      const checkpoint = makeCheckpoint(last, tree, new Date(nowMs), key);
      last = checkpointLink(checkpoint);
      trail.checkpoints.push(checkpoint);
      trail.lines.push(canonicalText({ type: 'checkpoint', checkpoint, changed }));
    },
    whole: () => [
      startLine(null),
      ...trail.lines,
      endLine({ of: 'export', records, checkpoint: last }, new Date(nowMs + 7_200_000), key),
    ],
  };
  return trail;
};

/** Two hosts, one wave: restarts with their outcomes, three checkpoints. */
export const sampleTrail = (key: SigningKey = serverKey): Trail => {
  const trail = newTrail(key);
  const restart = (host: string, name: string, grant: string): void => {
    const about = { subject: `${host}/${name}`, service: 'web', wave: 'w1', grant };
    trail.record('server', { ...about, action: 'granted', actor: 'coordinator' });
    trail.record(host, { ...about, action: 'restart-begun', details: { attempt: 1 } });
    trail.record(host, { ...about, action: 'stop-begun', details: { state: 'running' } });
    trail.record(host, {
      ...{ ...about, action: 'restart-ended', outcome: 'done' },
      details: { verification: 'verified', reason: 'café \u2603 1.50', took: 0.1 },
    });
    trail.record('server', { ...about, action: 'grant-ended', outcome: 'done' });
  };
  trail.record('server', { action: 'wave-opened', subject: 'wave w1', wave: 'w1' });
  restart('h1', 'web-01', 'g1');
  trail.checkpoint();
  restart('h2', 'web-02', 'g2');
  restart('h1', 'web-03', 'g3');
  trail.checkpoint();
  restart('h2', 'web-04', 'g4');
  trail.record('server', { action: 'wave-finished', subject: 'wave w1', wave: 'w1' });
  trail.checkpoint();
  return trail;
};
