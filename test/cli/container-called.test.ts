import { expect, test } from '@jest/globals';
import { calledOrOf, containerCalled } from '../../src/cli/container-called.ts';

const all = ['h1/web-1', 'h2/web-1', 'h1/shop-1'].map((container) => ({ container }));

test('a container is called by its id, or by its name where that says which', () => {
  expect(containerCalled(all, 'h2/web-1')).toEqual({ container: 'h2/web-1' });
  expect(containerCalled(all, 'shop-1')).toEqual({ container: 'h1/shop-1' });
  expect(() => containerCalled(all, 'web-1')).toThrow(
    'web-1 is on several hosts: h1/web-1, h2/web-1',
  );
  expect(() => containerCalled(all, 'op-1')).toThrow('nothing is called op-1');
});

test('a service stands for its members, unless a container is called like it', () => {
  const rows = [
    { container: 'h1/web-1', service: 'web', claimants: [] },
    { container: 'h1/db', service: 'db', claimants: [] },
  ];
  expect(calledOrOf(rows, 'web')).toEqual([rows[0]]);
  expect(calledOrOf(rows, 'h1/db')).toEqual([rows[1]]);
  expect(() => calledOrOf(rows, 'db')).toThrow('db is a service and a container: say h1/db');
});

test('a service without containers is no unknown name', () => {
  const rows = [{ container: 'h1/db', service: 'db', claimants: [] }];
  expect(() => calledOrOf(rows, 'web', ['web', 'db'])).toThrow(
    'service web has no containers: nothing there can be restarted; see: groundswell services',
  );
  expect(() => calledOrOf(rows, 'wbe', ['web'])).toThrow('nothing is called wbe');
});

test('a service stands for those that others claim too, so that they are named where they are left out (R18)', () => {
  const rows = [
    { container: 'h1/web-1', service: 'web', claimants: [] },
    { container: 'h1/web-2', service: 'h1/unassigned', claimants: ['web', 'api'] },
  ];
  expect(calledOrOf(rows, 'web')).toEqual(rows);
  expect(calledOrOf(rows, 'api')).toEqual([rows[1]]);
});
