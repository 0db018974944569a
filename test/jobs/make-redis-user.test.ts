import { expect, test } from '@jest/globals';
import { makeRedisUser } from '../../src/jobs/make-redis-user.ts';

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
        const answer = answers[`${one} ${two}`] ?? answers[String(one)];
        return answer instanceof Error ? Promise.reject(answer) : Promise.resolve(answer);
      },
    } as Parameters<typeof makeRedisUser>[0],
  };
};
const alone = { 'ACL WHOAMI': 'groundswell', ROLE: ['master', 0, []] };

test('a user is made with the rules of its host and the hash of its password, and kept', async () => {
  const { redis, asked } = redisThat(alone);
  expect(await makeRedisUser(redis, 'h2', hash)).toEqual([]);
  expect(asked[1]).toMatch(/^ACL SETUSER h2 reset on ~.*:host-h2:\* .*\+eval.* #a{64}$/);
  expect(asked).toContain('ACL SAVE');
});

test('what Redis does not keep or copy by itself is told', async () => {
  const { redis } = redisThat({
    ...alone,
    'ACL SAVE': new Error('ERR This Redis instance is not configured to use an ACL file.'),
    ROLE: ['master', 7, [['10.0.0.6', '6379', '7']]],
  });
  expect(await makeRedisUser(redis, 'h2', hash)).toEqual([
    expect.stringMatching(/^Redis forgets it when it is restarted .*not configured.*--redis-user/),
    'its replica has users of its own: make it there, too',
  ]);
});

test.each(['groundswell', 'default'])(
  'a host named %s does not take the place of another user',
  async (hostId) => {
    const { redis, asked } = redisThat(alone);
    await expect(makeRedisUser(redis, hostId, hash)).rejects.toThrow('another id');
    expect(asked).toEqual(['ACL WHOAMI']);
  },
);
