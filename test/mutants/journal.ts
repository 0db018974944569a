import type { Mutant } from './mutant.ts';

const agent = 'test/integration/agent';
const journal = { project: 'integration', file: `${agent}/journal-store.test.ts` } as const;
const heard = { project: 'integration', file: `${agent}/heard-record.test.ts` } as const;
const crash = { project: 'integration', file: `${agent}/crash.test.ts` } as const;
const whole = { project: 'integration', file: `${agent}/agent.test.ts` } as const;
const store = { project: 'integration', file: 'test/integration/store.test.ts' } as const;
const child = {
  project: 'integration',
  file: 'test/integration/host/lxc/child-identity.test.ts',
} as const;
const effects = 'test/workers/agent/effects';
const synced = { project: 'unit', file: 'test/core/agent/needs-sync.test.ts' } as const;
const reports = { project: 'unit', file: 'test/workers/agent/send-reports.test.ts' } as const;
const check = { project: 'unit', file: `${effects}/check.test.ts` } as const;
const stop = { project: 'unit', file: `${effects}/stop.test.ts` } as const;
const diff = { project: 'unit', file: 'test/workers/agent/journal-diff.test.ts' } as const;

/** What is on disk before anything is done, and what a process that follows goes on from. */
export const journalMutants: Mutant[] = [
  {
    rule: 'R23',
    what: 'a commit returns before it is synced',
    file: 'src/store/open-sqlite.ts',
    from: "database.pragma('journal_mode = WAL'); database.pragma('synchronous = FULL');",
    to: "database.pragma('journal_mode = WAL'); database.pragma('synchronous = NORMAL');",
    killedBy: { ...store, test: 'syncs every commit' },
  },
  {
    rule: 'R23',
    what: 'effects begin before their turn is journaled',
    file: 'src/workers/agent/agent-loop.ts',
    from: `commit(step.effects, () => {
        store.commit(agent.journal, entries, { sync: step.sync });
      });
      heardRecord = agent.journal.highestRecord;
    } catch (error) {
      lose(error);
      return false;
    }
    const { audits, effects } = step;
    ports.onTurn(event, audits);
    const present = life;
    for (const effect of effects) {
      // An effect that must tell something may find that the disk fails.
      if (present === null || life !== present) break;
      ports.perform(effect, present);
    }`,
    to: `const present = life;
      if (present !== null) for (const effect of step.effects) ports.perform(effect, present);
      commit(step.effects, () => {
        store.commit(agent.journal, entries, { sync: step.sync });
      });
      heardRecord = agent.journal.highestRecord;
    } catch (error) {
      lose(error);
      return false;
    }
    ports.onTurn(event, step.audits);`,
    killedBy: { ...heard, test: 'nothing of it is begun' },
  },
  {
    rule: 'R23',
    what: 'what could not be journaled is done all the same',
    file: 'src/workers/agent/agent-loop.ts',
    from: `} catch (error) {
      lose(error);
      return false;
    }
    const { audits, effects } = step;`,
    to: `} catch (error) {
      alert(errorText(error));
      step ??= { audits: [], effects: [] };
    }
    const { audits, effects } = step;`,
    killedBy: { ...heard, test: 'nothing of it is begun' },
  },
  {
    rule: 'R23',
    what: 'a restart begins on the reserve of a full disk',
    file: 'src/workers/agent/agent-loop.ts',
    from: '|| effects.some(disrupts) ||',
    to: '||',
    killedBy: { ...crash, test: 'begins no restart on the reserve' },
  },
  {
    rule: 'R23',
    what: 'what has begun cannot be ended when the disk fills up',
    file: 'src/workers/agent/agent-loop.ts',
    from: '|| !reserve.release()) throw error;',
    to: '|| !reserve.release() || Date.now() > 0) throw error;',
    killedBy: { ...crash, test: 'ends what it has begun on the reserve' },
  },
  {
    rule: 'R23',
    what: 'journal and audit are written one after the other',
    file: 'src/workers/agent/journal-store.ts',
    from: 'for (const { part, key } of changes.remove) remove.run(part, key);',
    to: "for (const { part, key } of changes.remove) remove.run(part, key); db.exec('commit'); db.exec('begin immediate');",
    killedBy: { ...journal, test: 'leaves journal and chain as they were' },
  },
  {
    rule: 'R23',
    what: 'what changes in its place is not written again',
    file: 'src/workers/agent/journal-rows.ts',
    from: "fixed: (value) => (value as AgentUpgrade).step === 'ended',",
    to: 'fixed: always,',
    killedBy: { ...journal, test: 'comes back exactly as it was written' },
  },
  {
    rule: 'R15',
    what: 'what another journal held stays when a new one takes its place',
    file: 'src/workers/agent/journal-diff.ts',
    from: 'for (const key of old.keys()) if (!kept.has(key))',
    to: 'for (const key of old.keys()) if (kept.has(key))',
    killedBy: { ...diff, test: 'replaces everything' },
  },
  {
    rule: 'R16',
    what: 'an agent forgets records of its chain that the server has not acknowledged',
    file: 'src/workers/agent/journal-store.ts',
    from: "if (report.kind === 'audit-copied') upTo",
    to: "if (report.kind !== 'audit-copied') upTo",
    killedBy: { ...journal, test: 'keeps the last records of the chain' },
  },
  {
    rule: 'R15',
    what: 'two agents work on one journal',
    file: 'src/workers/agent/journal-store.ts',
    from: 'if (lock === null) throw new Error( `another agent',
    to: "if (path === '') throw new Error( `another agent",
    killedBy: { ...journal, test: 'is locked against a second agent' },
  },
  {
    rule: 'R14',
    what: 'a record is echoed before it is on disk',
    file: 'src/workers/agent/agent-loop.ts',
    from: 'heardRecord: () => heardRecord,',
    to: 'heardRecord: () => agent.record?.value.number ?? heardRecord,',
    killedBy: { ...heard, test: 'is written with the turn that may do something by it' },
  },
  {
    rule: 'R8',
    what: 'what is not on disk is told',
    file: 'src/workers/agent/agent-loop.ts',
    from: 'written: () => (life === null ? null : agent),',
    to: 'written: () => agent,',
    killedBy: { ...heard, test: 'is forgotten with all else' },
  },
  {
    rule: 'R8',
    what: 'what the disk may forget is told',
    file: 'src/workers/agent/send-reports.ts',
    from: 'incarnation !== incarnation || !ports.sync()) return;',
    to: 'incarnation !== incarnation) return;',
    killedBy: { ...reports, test: 'nothing is sent that the disk may forget' },
  },
  {
    rule: 'R8',
    what: 'a sync writes nothing, so that nothing is synced',
    file: 'src/workers/agent/journal-sync.ts',
    from: 'set count = count + 1',
    to: 'set count = count',
    killedBy: { ...journal, test: 'is synced with the turns that must be' },
  },
  {
    rule: 'R23',
    what: 'a former process is believed to have synced what it wrote',
    file: 'src/workers/agent/journal-sync.ts',
    from: 'let unsynced = true;',
    to: 'let unsynced = false;',
    killedBy: { ...journal, test: 'is synced with the turns that must be' },
  },
  {
    rule: 'R23',
    what: 'an intent is written behind what a failed sync has left out',
    file: 'src/workers/agent/journal-sync.ts',
    from: 'if (!doubtful) return;',
    to: 'if (isFull || !isFull) return;',
    killedBy: { ...journal, test: 'goes on in a new log' },
  },
  {
    rule: 'R23',
    what: 'an intent need not be on disk when its stop begins',
    file: 'src/core/agent/needs-sync.ts',
    from: '!between.has(kind) || audits.length > 0 || effects.some((effect) => !harmless.has(effect.kind))',
    to: "kind !== 'checked' && !between.has(kind)",
    killedBy: { ...synced, test: 'the intent and the end of a restart without a drain' },
  },
  {
    rule: 'R4',
    what: 'a job completes before it is on disk',
    file: 'src/workers/agent/agent-loop.ts',
    from: 'if (sync()) return true;',
    to: 'return true;',
    killedBy: { ...heard, test: 'is on disk before it completes' },
  },
  {
    rule: 'R8',
    what: 'a report is sent once',
    file: 'src/workers/agent/send-reports.ts',
    from: '} else if (sentSeq >= first && now - progressAt >= againMs) {',
    to: '} else if (sentSeq < 0) {',
    killedBy: { ...whole, test: 'sends again, under fresh ids' },
  },
  {
    rule: 'R13',
    what: 'a check goes on by the last record where none can be read',
    file: 'src/workers/agent/effects/check.ts',
    from: 'if (unread !== null) return unanswered(grant, unread);',
    to: '',
    killedBy: check,
  },
  {
    rule: 'R21',
    what: 'packages and state are looked at before all else, not last',
    file: 'src/workers/agent/effects/check.ts',
    from: 'const held = work.holdBack(); if (held !== null) return unanswered(grant, held); const [',
    to: `const held = work.holdBack(); if (held !== null) return unanswered(grant, held);
    const early = await Promise.all([work.host.packages.atRest(), work.host.runtime.state(grant.order.container)]);
    work = { ...work, host: { ...work.host,
      packages: { ...work.host.packages, atRest: () => Promise.resolve(early[0]) },
      runtime: { ...work.host.runtime, state: () => Promise.resolve(early[1]) } } };
    const [`,
    killedBy: check,
  },
  {
    rule: 'R24',
    what: 'nobody waits for the stop of a process that was killed',
    file: 'src/workers/agent/effects/stop.ts',
    from: 'if (!(await stops.ended(child, limitMs))) await stops.end(child);',
    to: '',
    killedBy: { ...stop, test: 'is waited for' },
  },
  {
    rule: 'R23',
    what: 'the pid of a stop is not journaled as soon as it is known',
    file: 'src/workers/agent/effects/stop.ts',
    from: "life.tell({ kind: 'child', grantId, child });",
    to: "setTimeout(() => { life.tell({ kind: 'child', grantId, child }); }, 0);",
    killedBy: stop,
  },
  {
    rule: 'R24',
    what: 'of stops of a process that was killed only those are waited for that are seen at work',
    file: 'src/workers/agent/effects/stop.ts',
    from: 'if (grant.child !== null) found.push(grant.child);',
    to: '',
    killedBy: stop,
  },
  {
    rule: 'R24',
    what: 'another process under the pid of our stop is ended',
    file: 'src/host/lxc/child-identity.ts',
    from: 'return isLive(stat) && stat.startTime === child.startTime;',
    to: 'return isLive(stat);',
    killedBy: { ...child, test: 'is not another process under the same pid' },
  },
  {
    rule: 'R25',
    what: 'a stop by an owner is taken for one of ours',
    file: 'src/host/lxc/child-identity.ts',
    from: 'ours: environment.includes(`${STOP_MARK}=1`)',
    to: 'ours: true',
    killedBy: { ...child, test: 'ours told from an owner’s' },
  },
  {
    rule: 'R24',
    what: 'an agent begins anew over its journal as if nothing had been begun',
    file: 'src/workers/agent/agent-loop.ts',
    from: "life = mine; dispatch({ kind: 'booted' });",
    to: 'life = mine;',
    killedBy: crash,
  },
];
