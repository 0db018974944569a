import type { Mutant } from './mutant.ts';

const producers = 'test/integration/producers';
const suites = { project: 'integration', file: `${producers}/fetch-apt-security.test.ts` } as const;
const gpgv = { project: 'integration', file: `${producers}/gpgv.test.ts` } as const;
const osv = { project: 'integration', file: `${producers}/fetch/osv.test.ts` } as const;
const wholeFiles = {
  project: 'integration',
  file: `${producers}/fetch/whole-files.test.ts`,
} as const;
const watch = { project: 'integration', file: `${producers}/watch-advisories.test.ts` } as const;
const named = { project: 'integration', file: `${producers}/named-suites.test.ts` } as const;
const tls = { project: 'integration', file: `${producers}/fetch-tls-and-proxy.test.ts` } as const;

/** Whom the server believes of what has to be patched. */
export const feedMutants: Mutant[] = [
  {
    rule: 'feeds',
    what: 'an InRelease counts whoever has signed it',
    file: 'src/producers/advisories/apt-security/read-release.ts',
    from: 'const verified = await verify(signed); if (!verified.ok) throw new Error(verified.reason);',
    to: "const checked = await verify(signed); const verified = { content: checked.ok ? checked.content : Buffer.from(signed.toString().split('\\n\\n')[1] ?? '') };",
    killedBy: { ...suites, test: 'signed by somebody else' },
  },
  {
    rule: 'feeds',
    what: 'a signature of a text that was changed is good',
    file: 'src/producers/advisories/apt-security/gpgv.ts',
    from: "const isGood = found.has('GOODSIG') && found.has('VALIDSIG') && !found.has('BADSIG');",
    to: "const isGood = found.has('GOODSIG') || found.has('BADSIG');",
    killedBy: { ...gpgv, test: 'a changed text' },
  },
  {
    rule: 'feeds',
    what: 'what stands outside of the signed text counts',
    file: 'src/producers/advisories/apt-security/gpgv.ts',
    from: 'return { ok: true, content: ended.stdout };',
    to: 'return { ok: true, content: signed };',
    killedBy: { ...gpgv, test: 'outside of the signed text' },
  },
  {
    rule: 'feeds',
    what: 'a suite that was signed for another name is taken',
    file: 'src/producers/advisories/apt-security/fetch.ts',
    from: 'if (!names.includes(asked)) return',
    to: "if (asked === '') return",
    killedBy: { ...suites, test: 'another one' },
  },
  {
    rule: 'feeds',
    what: 'a mirror of a suite goes back in time',
    file: 'src/producers/advisories/apt-security/fetch.ts',
    from: 'if (had !== null && (date === null || date.toISOString() < had)) return',
    to: 'if (had !== null && date === null) return',
    killedBy: { ...suites, test: 'is not taken when it is older' },
  },
  {
    rule: 'feeds',
    what: 'a suite is taken that is not valid any more',
    file: 'src/producers/advisories/apt-security/fetch.ts',
    from: 'validUntil !== null && validUntil < now.toISOString()',
    to: "validUntil !== null && validUntil < ''",
    killedBy: { ...suites, test: 'out of date' },
  },
  {
    rule: 'feeds',
    what: 'a list of packages need not be the one that the signed text names',
    file: 'src/producers/advisories/apt-security/fetch.ts',
    from: 'return came.sha256 === sha256 ? null',
    to: "return came.sha256 !== '' ? null",
    killedBy: { ...suites, test: 'another checksum' },
  },
  {
    rule: 'feeds',
    what: 'an index that lost most of its records is taken',
    file: 'src/producers/advisories/fetch/objection.ts',
    from: 'known.records >= FEW_RECORDS && fresh.records < known.records / 2',
    to: 'known.records >= FEW_RECORDS && fresh.records < 0',
    killedBy: { ...osv, test: 'are held back where most of them vanished' },
  },
  {
    rule: 'feeds',
    what: 'a file without a record is taken',
    file: 'src/producers/advisories/fetch/objection.ts',
    from: 'if (fresh.records === 0 && !accepted)',
    to: 'if (fresh.records < 0)',
    killedBy: { ...wholeFiles, test: 'is not taken when it is spoilt' },
  },
  {
    rule: 'feeds',
    what: 'a mirror of records goes back in time',
    file: 'src/producers/advisories/fetch/objection.ts',
    from: 'if (offered < had) return older(',
    to: 'if (offered < -Infinity) return older(',
    killedBy: { project: 'unit', file: 'test/producers/advisories/objection.test.ts' },
  },
  {
    rule: 'feeds',
    what: 'a record is taken that is older than the one that is here',
    file: 'src/producers/advisories/fetch/sync-records.ts',
    from: "if (told !== null && told < (state.records[name] ?? '')) return;",
    to: '',
    killedBy: { ...osv, test: 'do not go back in time' },
  },
  {
    rule: 'feeds',
    what: 'a whole feed that lost most of its advisories takes them back',
    file: 'src/producers/take-feed.ts',
    from: 'if (complete && !evenIfMostIsGone && lostTooMuch(had, has))',
    to: "if (feed === '')",
    killedBy: { ...watch, test: 'that lost most of its records is held back' },
  },
  {
    rule: 'feeds',
    what: 'what could not be read counts as taken back',
    file: 'src/producers/take-feed.ts',
    from: 'if (!stage.has(advisory.id) && !damaged.has(advisory.id))',
    to: 'if (!stage.has(advisory.id))',
    killedBy: { ...watch, test: 'does not take those back' },
  },
  {
    rule: 'feeds',
    what: 'where a problem names nobody, what is missing is taken back',
    file: 'src/producers/take-feed.ts',
    from: 'if (complete && all) {',
    to: 'if (complete) {',
    killedBy: { ...watch, test: 'of which a file cannot be read takes nothing back' },
  },
  {
    rule: 'feeds',
    what: 'the server asks whatever address a host names',
    file: 'src/main/named-feeds.ts',
    from: 'const isAllowed = mayBeFetched(url, feed.mirrors);',
    to: 'const isAllowed = true;',
    killedBy: { ...named, test: 'asks no address on the word of a host alone' },
  },
  {
    rule: 'feeds',
    what: 'a protected connection is left by a redirect',
    file: 'src/producers/advisories/fetch/redirect.ts',
    from: "if (from.protocol === 'https:' && to.protocol === 'http:')",
    to: "if (to.protocol === '')",
    killedBy: { ...tls, test: 'is not left by a redirect' },
  },
];
