import { expect, test } from '@jest/globals';
import { redisConfig } from '../../src/main/redis-config.ts';

test('paths with spaces and quotes stay one value, and a line break is refused', () => {
  const settings = { directory: '/var/lib/a "b"\\c', socketPath: '/run/r.sock', password: 'p' };
  expect(redisConfig(settings)).toContain('dir "/var/lib/a \\"b\\"\\\\c"\n');
  expect(redisConfig(settings)).toContain('maxmemory-policy noeviction\n');
  expect(() => redisConfig({ ...settings, password: 'p\nport 6379' })).toThrow('redis.conf');
});
