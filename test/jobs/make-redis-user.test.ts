import { expect, test } from '@jest/globals';
import { makeRedisUser } from '../../src/jobs/make-redis-user.ts';
import { presenceKey } from '../../src/jobs/queue-names.ts';

const hash = 'a'.repeat(64);

/** A Redis that answers each command with what stands here under its first two words, or its first. */
const redisThat = (answers: Record<string, unknown>) => {
  const asked: string[] = [];
  return {
    asked,
    redis: {
      call: (...words: unknown[]) => {
        const [one, two] = words.map(String);
        asked.push(words.map(String).join(' '));
        const answer = answers[`${one} ${two}`] ?? answers[String(one)] ?? null;
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    } as Parameters<typeof makeRedisUser>[0],
  };
};
const alone = { 'ACL WHOAMI': 'groundswell', ROLE: ['master', 0, []] };
const changes = (asked: readonly string[]): string[] =>
  asked
    .filter((words) => /^(?:ACL (?:SETUSER|SAVE)|CLIENT)/.test(words))
    .map((words) => words.slice(0, 24));

test('a user is made with the rules of its host and the hash of its password, and kept', async () => {
  const { redis, asked } = redisThat(alone);
  const made = await makeRedisUser(redis, 'h2', hash);
  expect(made).toEqual({ what: 'made the Redis user', left: [] });
  expect(asked.find((words) => words.includes('SETUSER'))).toMatch(
    /^ACL SETUSER h2 reset on ~.*:host-h2:\* .*\+eval.* #a{64}$/,
  );
  expect(changes(asked)).toEqual(['ACL SETUSER h2 reset on ', 'ACL SAVE']);
});

test('what Redis does not keep or copy by itself is told, and nothing of it writes on a terminal', async () => {
  const { redis } = redisThat({
    ...alone,
    'ACL SAVE': new Error('ERR This Redis \u001b[2J is not configured to use an ACL file.'),
    ROLE: ['master', 7, [['10.0.0.6', '6379', '7']]],
  });
  const { left } = await makeRedisUser(redis, 'h2', hash);
  expect(left).toEqual([
    expect.stringMatching(
      /^Redis forgets it when it is restarted .*\\u001b.*: user h2 reset on .* #a{64}$/,
    ),
    expect.stringContaining('replicas have users of their own'),
  ]);
  const behind = redisThat(alone);
  expect((await makeRedisUser(behind.redis, 'h2', hash, { isSentinel: true })).left).toHaveLength(
    1,
  );
});

test.each([
  // Redis 6 answers a list of keys, 7 a text.
  ['flags', ['on'], 'passwords', ['x'], 'keys', [`~${presenceKey('h2')}`]],
  ['flags', ['on'], 'passwords', ['x'], 'keys', `~a ~${presenceKey('h2')}`],
])(
  'one that it has is made anew, and whoever came with its password of before is ended',
  async (...user) => {
    const { redis, asked } = redisThat({ ...alone, 'ACL GETUSER': user });
    const { what } = await makeRedisUser(redis, 'h2', hash);
    expect(what).toBe('gave another password to the Redis user');
    expect(changes(asked)).toEqual(['ACL SETUSER h2 reset on ', 'CLIENT KILL USER h2', 'ACL SAVE']);
  },
);

test.each([
  ['the server itself', 'groundswell', {}],
  ['whoever names no user', 'default', {}],
  ['somebody else', 'h2', { 'ACL GETUSER': ['flags', ['on'], 'keys', '~*'] }],
  ['nobody, where this is a replica', 'h2', { ROLE: ['slave', '10.0.0.5', 6379, 'connected', 0] }],
])('a user of %s is left as it is', async (_, hostId, answers) => {
  const { redis, asked } = redisThat({ ...alone, ...answers });
  await expect(makeRedisUser(redis, hostId, hash)).rejects.toThrow(/something else|no master/);
  expect(changes(asked)).toEqual([]);
});
