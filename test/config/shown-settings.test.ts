import { describe, expect, test } from '@jest/globals';
import { Configuration } from '../../src/config/schema.ts';
import { agentSettingsRecord, serverSettingsRecord } from '../../src/config/shown-settings.ts';
import { settingsChanges } from '../../src/core/settings-record.ts';

type Raw = Record<string, unknown>;
const of = (raw: Raw): Configuration => Configuration.parse(raw);
const changes = (before: Raw, after: Raw) => ({
  server: settingsChanges(
    serverSettingsRecord(of(before), 's'),
    serverSettingsRecord(of(after), 's'),
  ),
  agent: settingsChanges(agentSettingsRecord(of(before), 's'), agentSettingsRecord(of(after), 's')),
});
const web = (more: Raw): Raw => ({ services: [{ name: 'web', ...more }] });

describe('which settings changed', () => {
  test('each on the side that goes by it', () => {
    expect(changes(web({}), web({ mode: 'auto', budget: { maxUnavailable: '25%' } }))).toEqual({
      server: [
        'services.web.budget.maxUnavailable: 1 → "25%"',
        'services.web.mode: "approve" → "auto"',
      ],
      agent: [],
    });
    expect(changes(web({}), web({ stopTimeoutMs: 1_000 }))).toEqual({
      server: [],
      agent: ['services.web.stopTimeoutMs: 30000 → 1000'],
    });
    expect(changes({}, { agent: { hostCap: 5, observeSeconds: 60 } })).toEqual({
      server: ['agent.hostCap: 2 → 5'],
      agent: ['agent.observeSeconds: 180 → 60'],
    });
    expect(
      changes({}, { optOut: [{ host: 'h1', reason: 'frail' }], waves: { canaries: 2 } }),
    ).toEqual({
      server: ['waves.canaries: 1 → 2'],
      agent: ['optOut: added {"host":"h1","reason":"frail"}'],
    });
  });

  test('not that services or feeds stand in another order, nor how much is logged', () => {
    const [a, b] = [{ name: 'a' }, { name: 'b' }];
    const feeds = [{ source: 'osv' }, { source: 'kev' }];
    const before = { services: [a, b], feeds, log: { level: 'debug' } };
    const after = { services: [b, a], feeds: [...feeds].reverse() };
    expect(changes(before, after)).toEqual({ server: [], agent: [] });
  });
});

describe('secrets', () => {
  const secrets: Raw = {
    redis: { url: 'rediss://groundswell:hunter2@redis.example.org:6379/0' },
    server: {
      notify: {
        command: ['/usr/local/bin/page', '--token', 'hunter2'],
        webhook: 'https://chat.example.org/hunter2',
      },
      audit: { anchors: { webhook: 'https://notary.example.org/?key=hunter2' } },
    },
    feeds: [{ source: 'osv', url: 'https://ann:hunter2@mirror.example.org/osv' }],
    fetch: { proxy: 'http://ann:hunter2@proxy.example.org:3128' },
    services: [
      {
        ...{
          name: 'web',
          beforeStop: ['/usr/local/bin/drain', 'hunter2'],
          afterHealthy: ['/bin/x', 'hunter2'],
        },
        health: { kind: 'http', port: 80, path: '/health?key=hunter2' },
      },
      { name: 'db', health: { kind: 'command', command: ['psql', 'password=hunter2'] } },
    ],
  };

  test('are in no record, and neither is what is kept of them to compare with', () => {
    const records = [serverSettingsRecord(of(secrets), 's'), agentSettingsRecord(of(secrets), 's')];
    expect(JSON.stringify(records)).not.toContain('hunter2');
    const { server, agent } = changes({}, secrets);
    expect(server).toEqual(
      expect.arrayContaining([
        'redis.url: not set → "rediss://redis.example.org:6379/…"',
        'server.notify.command: not set → "/usr/local/bin/page …"',
        'server.notify.webhook: not set → "https://chat.example.org/…"',
      ]),
    );
    expect(agent).toEqual(
      expect.arrayContaining([
        'services.web.beforeStop: not set → "/usr/local/bin/drain …"',
        'services.web.health.path: not set → "/health?…"',
      ]),
    );
  });

  test('that one changed is seen', () => {
    const other = JSON.parse(JSON.stringify(secrets).replaceAll('hunter2', 'hunter3')) as Raw;
    const { server, agent } = changes(secrets, other);
    expect(server.join('\n')).not.toContain('hunter');
    expect(server).toContain(
      'redis.url: "rediss://redis.example.org:6379/…" changed in what is not shown of it',
    );
    expect(agent).toContain(
      'services.web.beforeStop: "/usr/local/bin/drain …" changed in what is not shown of it',
    );
    // A salt of its own: the same password looks different in another store.
    const seal = (salt: string) =>
      serverSettingsRecord(of(secrets), salt).settings['redis.url']?.seal;
    expect(seal('a')).not.toBe(seal('b'));
  });
});
