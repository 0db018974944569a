import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { OperatorAction } from '../../src/core/coordinator/operator.ts';
import { commandLine } from './command-line.ts';
import type { CommandLine } from './command-line.ts';

const ids = ['57810a52-3f5e-4ac8-9a2e-6a1f1c3d2e4f', '68810a52-3f5e-4ac8-9a2e-6a1f1c3d2e4f'];

let line: CommandLine;
beforeEach(async () => {
  line = await commandLine({
    '/v1/status': { hosts: [{ id: 'h1' }], freezes: ids.map((id) => ({ id })) },
  });
});
afterEach(() => line.close());

const actions = (): OperatorAction[] =>
  line.asked.map((body) => (JSON.parse(body) as { action: OperatorAction }).action);

describe('pause and resume', () => {
  test.each([
    ['pause', '--host', 'h1', '--service', 'web'],
    ['resume', '--queue', 'h1', '--wave', '57810a52'],
  ])('%s %s %s %s %s is refused: one level at a time', async (...argv) => {
    const { code, error } = await line.type(...argv, '--json');
    expect(code).toBe(2);
    expect(error).toMatch(/option '--\w+ <\w+>' cannot be used with option '--\w+ <\w+>'/);
    expect(line.asked).toEqual([]);
  });

  test('one level is taken', async () => {
    await line.type('pause', '--service', 'web');
    expect(actions()).toMatchObject([{ level: { level: 'service', service: 'web' } }]);
  });
});

describe('freeze', () => {
  test('ends at a date, or so long from now, as audit list has it', async () => {
    const before = Date.now();
    await line.type('freeze', 'a holiday', '--until', '2h');
    await line.type('freeze', 'a holiday', '--until', '2099-12-24T18:00Z');
    const [soon, late] = actions().map((action) =>
      action.action === 'freeze' ? (action.until ?? 0) : 0,
    );
    expect((soon ?? 0) - before - 7_200_000).toBeGreaterThanOrEqual(0);
    expect((soon ?? 0) - before - 7_200_000).toBeLessThan(60_000);
    expect(late).toBe(Date.parse('2099-12-24T18:00Z'));
    const { code, error } = await line.type('freeze', 'a holiday', '--until', 'soon', '--json');
    expect([code, error]).toEqual([2, expect.stringContaining('or 30m, 2h, 7d from now')]);
  });

  test('what is lifted is one JSON document, however many there were', async () => {
    const { out } = await line.type('unfreeze', '--json');
    expect(JSON.parse(out)).toEqual([{ text: '' }, { text: '' }]);
    expect(actions()).toEqual(ids.map((id) => ({ action: 'unfreeze', id })));
    expect(JSON.parse((await line.type('unfreeze', '5781', '--json')).out)).toHaveLength(1);
  });

  test('nothing to lift is no error', async () => {
    await line.close();
    line = await commandLine({ '/v1/status': { freezes: [] } });
    expect(await line.type('unfreeze')).toMatchObject({
      code: 0,
      out: 'no freeze is in force\n',
    });
    expect(JSON.parse((await line.type('unfreeze', '--json')).out)).toEqual([]);
  });
});
