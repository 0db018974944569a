import { chainStart, hashCanonical } from '../../audit/chain.ts';
import type { Link } from '../../audit/chain.ts';
import { auditHashAt, lastAuditLink } from '../../store/audit-records.ts';
import type { NewAuditRecord } from '../../store/audit-records.ts';
import type { Store } from '../../store/open-store.ts';

/** A record that a host handed over and that does not go on its chain. */
export interface RefusedCopy {
  /** `fork`: another one is there under its number already. */
  kind: 'misfit' | 'fork';
  host: string;
  life: string;
  seq: number;
  reason: string;
}

type Copy = Omit<NewAuditRecord, 'proven'>;

export interface CopiedRecords {
  /** These, in their order, each with whether it goes on its chain; and the first of each chain that does not. */
  judge: (copies: readonly Copy[]) => Promise<{ judged: NewAuditRecord[]; refused: RefusedCopy[] }>;
  /** They were not written: ask the store where chains stand. */
  forget: () => void;
}

const problemOf = ({ chain, life, seq, hash, record }: Copy, last: Link): string | null => {
  if (seq !== last.seq + 1) return `it is number ${seq}, and ${last.seq + 1} was next`;
  if (record['seq'] !== seq || record['host'] !== chain || record['life'] !== life)
    return 'it says that it is another';
  if (record['previous'] !== last.hash) return 'it does not follow the one before it';
  if (Number.isNaN(Date.parse(String(record['at'])))) return 'its time is none';
  try {
    return hashCanonical(record) === hash ? null : 'its hash does not fit';
  } catch {
    return 'it holds what canonical JSON cannot';
  }
};

/**
 * What hosts hand over of their chains counts only where it goes on what is there: one host that is broken, or in others'
 * hands, would else make the trail of all of them one that does not verify. A chain with a record that does not fit stays as it was, until
 * the one comes that goes on from there; its next life begins a new one in any case.
 */
export const createCopiedRecords = (store: Store): CopiedRecords => {
  const links = new Map<string, Link>();
  /** Chains of which the server has said that a record did not fit, or that there are two of one number. */
  const told = new Set<string>();
  /** Another record than this is on its chain under its number: the host has two histories. */
  const isFork = async (copy: Copy, judged: readonly NewAuditRecord[]): Promise<boolean> => {
    const { chain, life, seq, hash } = copy;
    const isHere = (one: NewAuditRecord): boolean =>
      one.proven && one.chain === chain && one.life === life && one.seq === seq;
    const known = judged.find(isHere)?.hash ?? (await auditHashAt(store.db, copy));
    return known !== null && known !== hash;
  };
  return {
    judge: async (copies) => {
      const judged: NewAuditRecord[] = [];
      const refused: RefusedCopy[] = [];
      const refuse = (copy: Copy, kind: RefusedCopy['kind'], reason: string): void => {
        const { chain, life, seq } = copy;
        const key = `${chain} ${life} ${kind}`;
        if (told.has(key)) return;
        told.add(key);
        refused.push({ kind, host: chain, life, seq, reason });
      };
      for (const copy of copies) {
        const { chain, life, seq, hash } = copy;
        const key = `${chain} ${life}`;
        const last = links.get(key) ?? (await lastAuditLink(store.db, chain, life)) ?? chainStart;
        // It came already: a report that was sent again.
        if (seq >= 1 && seq <= last.seq) {
          links.set(key, last);
          if (await isFork(copy, judged))
            refuse(copy, 'fork', `another record is on its chain under number ${seq}`);
          continue;
        }
        const problem = problemOf(copy, last);
        judged.push({ ...copy, proven: problem === null });
        if (problem === null) links.set(key, { seq, hash });
        else refuse(copy, 'misfit', problem);
      }
      return { judged, refused };
    },
    forget: () => {
      links.clear();
      told.clear();
    },
  };
};
