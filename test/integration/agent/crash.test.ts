import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from '@jest/globals';
import { verifyChain } from '../../../src/audit/chain.ts';
import type { JournalStore } from '../../../src/workers/agent/journal-store.ts';
import { createFakeHost } from './fake-host.ts';
import {
  batchJob,
  createRecordSource,
  order,
  removeTree,
  settle,
  startLoop,
  until,
} from './loop-rig.ts';
import type { LoopRig } from './loop-rig.ts';

const directories: string[] = [];
const rigs: LoopRig[] = [];
afterEach(() => {
  for (const rig of rigs.splice(0)) rig.kill();
  for (const path of directories.splice(0)) removeTree(path);
});
const journalPath = (): string => {
  const directory = mkdtempSync(join(tmpdir(), 'gs-agent-'));
  directories.push(directory);
  return join(directory, 'agent', 'journal.sqlite');
};

class Killed extends Error {}

/** The process dies at its `at`th write, just before it is durable or just after. */
const killedAt =
  (at: number, when: 'before' | 'after', onKill: () => void) =>
  (store: JournalStore): JournalStore => {
    let writes = 0;
    let dead = false;
    return {
      ...store,
      commit: (journal, entries, options) => {
        if (dead) throw new Killed('dead already');
        writes += 1;
        if (writes !== at) return store.commit(journal, entries, options);
        dead = true;
        if (when === 'after') store.commit(journal, entries, options);
        onKill();
        throw new Killed(`killed ${when} write ${at}`);
      },
    };
  };

describe('an agent that is killed and started again over its journal', () => {
  for (const when of ['before', 'after'] as const)
    test(`goes on from every step, killed just ${when} each of its writes`, async () => {
      let kills = 0;
      for (let at = 1; ; at++) {
        const path = journalPath();
        const fake = createFakeHost(['web-1']);
        const source = createRecordSource();
        const first = startLoop(path, fake, source);
        const incarnation = await settle(first, source);
        first.kill();
        fake.replaceLibrary();
        // What a real stop takes: a crash meets it at work.
        fake.duringStop = () => new Promise((resolve) => setTimeout(resolve, 15));

        const victimState = { killed: false };
        const victim: LoopRig = startLoop(
          path,
          fake,
          source,
          killedAt(at, when, () => {
            victimState.killed = true;
          }),
        );
        const job = batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]);
        const over = (rig: LoopRig): boolean =>
          [...rig.loop.agent().journal.grants.values()].some(({ end }) => end !== null);
        victim.loop.dispatch(job);
        await until(() => victimState.killed || over(victim), 'the victim is dead or done');
        victim.kill();
        if (!victimState.killed) break;
        kills += 1;

        const heir = startLoop(path, fake, source);
        rigs.push(heir);
        // BullMQ gives a job that was not completed once more (R5).
        heir.loop.dispatch(job);
        await until(() => over(heir), `the grant is over after a kill ${when} write ${at}`);
        const grant = heir.loop.agent().journal.grants.get('grant-1');
        const chain = heir.store.chain(incarnation);
        const actions = chain.map(({ record }) => record['action']);
        const stops = fake.events.filter((event) => event === 'stop web-1').length;
        expect(verifyChain(chain).kind).toBe('intact');
        // L2, L3: up again, and in service again, on every path.
        expect(fake.container('web-1')).toMatchObject({ drained: false });
        expect(fake.container('web-1').instance).not.toBeNull();
        // I4: a durable intent precedes the stop, and an outcome ends it.
        if (stops > 0) expect(actions).toContain('stop-begun');
        expect(actions).toContain(
          grant?.end?.outcome === 'done' ? 'restart-ended' : 'restart-refused',
        );
        // R24: once it may have begun it goes forward, and is not stopped twice.
        expect(stops).toBeLessThanOrEqual(1);
        expect(grant?.end?.outcome).toBe(
          grant?.steps.some(({ step }) => step === 'stopping') ? 'done' : 'refused',
        );
        if (stops === 0) expect(fake.container('web-1').stale).toBe(true);
        heir.kill();
        rigs.length = 0;
      }
      // Boot, record, job, check, drain, stop, child, stopped, started, healthy, undrained, verified at least.
      expect(kills).toBeGreaterThan(12);
    }, 60_000);

  test('does nothing when a job is delivered again after its end', async () => {
    const fake = createFakeHost(['web-1']);
    const source = createRecordSource();
    const path = journalPath();
    const rig = startLoop(path, fake, source);
    const incarnation = await settle(rig, source);
    fake.replaceLibrary();
    const job = batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]);
    rig.loop.dispatch(job);
    const ended = (one: LoopRig): boolean =>
      one.loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'done';
    await until(() => ended(rig), 'the grant is done');
    rig.kill();

    const again = startLoop(path, fake, source);
    rigs.push(again);
    const before = again.loop.agent().journal.lastSeq;
    again.loop.dispatch(job);
    const { journal } = again.loop.agent();
    expect(journal.reports.get(journal.lastSeq)).toMatchObject({
      kind: 'restart-finished',
      grantId: 'grant-1',
      outcome: 'done',
    });
    expect(journal.lastSeq).toBe(before + 1);
    expect(fake.events).toEqual([
      'drain web-1',
      'stop web-1',
      'start web-1',
      'undrain web-1 as ready',
    ]);
  });

  test('undoes the drain of a container that it had not begun to stop, and refuses', async () => {
    const fake = createFakeHost(['web-1']);
    const source = createRecordSource();
    const path = journalPath();
    const rig = startLoop(path, fake, source);
    const incarnation = await settle(rig, source);
    fake.replaceLibrary();
    fake.host.drain.drain = () => {
      fake.container('web-1').drained = true;
      return new Promise(() => undefined);
    };
    rig.loop.dispatch(batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]));
    await until(() => fake.container('web-1').drained, 'it is being drained');
    rig.kill();
    const heir = startLoop(path, fake, source);
    rigs.push(heir);
    await until(
      () => heir.loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'refused',
      'it is refused',
    );
    expect(fake.events).toEqual(['undrain web-1 as ready']);
    expect(fake.container('web-1')).toMatchObject({ drained: false, stale: true });
  });

  test.each([
    ['begins no restart', 'draining', /cannot be written/, /its reserve is used/],
    ['ends what it has begun', 'stopped', /its reserve is used/, /cannot be written/],
  ] as const)('%s on the reserve of a disk that is full by then', async (_, at, does, not) => {
    const fake = createFakeHost(['web-1']);
    const source = createRecordSource();
    let full = false;
    const rig = startLoop(journalPath(), fake, source, (store) => ({
      ...store,
      commit: (journal, entries, options) => {
        // Once: whoever gives its reserve away has room then.
        if (full && [...journal.grants.values()].some(({ step }) => step === at)) {
          full = false;
          throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
        }
        store.commit(journal, entries, options);
      },
    }));
    rigs.push(rig);
    const incarnation = await settle(rig, source);
    fake.replaceLibrary();
    full = true;
    rig.loop.dispatch(batchJob(incarnation, [order(fake, 'web-1', 'grant-1')]));
    await until(
      () => rig.loop.agent().journal.grants.get('grant-1')?.end?.outcome === 'done',
      'the grant is done',
    );
    expect(rig.alerts.join()).toMatch(does);
    expect(rig.alerts.join()).not.toMatch(not);
  });
});
