import { describe, expect, test } from '@jest/globals';
import { hasMoreRoom, leastRoom, readRoom } from '../../../src/host/packages/room.ts';

const mb = 1024 * 1024;
const disk = (path: string, megabytes: number, files = 5_000) => ({
  ...{ path, bytes: megabytes * mb, files },
});
const full = [disk('/', 2), disk('/boot', 40)];

test('room is read of the disks that are there', async () => {
  const [root, ...others] = await readRoom(['/', '/no-such-place']);
  expect(others).toEqual([]);
  expect(root).toEqual({
    path: '/',
    bytes: expect.any(Number),
    files: expect.any(Number),
  });
  expect((await readRoom()).map(({ path }) => path)).toContain('/var');
});

describe('there is more room', () => {
  test.each([
    ['where nothing changed', full, false],
    ['where as good as nothing was freed', [disk('/', 12), disk('/boot', 40)], false],
    ['where much was freed', [disk('/', 18), disk('/boot', 40)], true],
    ['where it was freed on another disk', [disk('/', 1), disk('/boot', 56)], true],
    ['where there may be more files', [disk('/', 2, 6_000), disk('/boot', 40)], true],
    ['where less is left', [disk('/', 0), disk('/boot', 0)], false],
    ['where a disk was mounted', [...full, disk('/var', 900)], false],
  ])('%s', (_, now, more) => {
    expect(hasMoreRoom(now, full)).toBe(more);
  });
});

test('the least is of each disk and of what was seen at any time', () => {
  const least = leastRoom([disk('/', 1), disk('/boot', 50), disk('/var', 7)], full);
  expect(least).toEqual([disk('/', 1), disk('/boot', 40), disk('/var', 7)]);
});
