import { z } from 'zod';
import type { AuditDetails } from './audit-details.ts';

/**
 * The settings that a process was last seen to go by, so that the next one can tell what changed. Of each: what may be shown of
 * it (of a list, of each entry), and a salted hash of the whole, which tells apart what is not shown.
 */
export const SettingsRecord = z.strictObject({
  salt: z.string(),
  settings: z.record(
    z.string(),
    z.strictObject({ shown: z.union([z.string(), z.array(z.string())]), seal: z.string() }),
  ),
});
export type SettingsRecord = z.infer<typeof SettingsRecord>;
type Setting = SettingsRecord['settings'][string];

/** More would make a record that no report can carry. */
const largestList = 100;

const entriesOf = (setting: Setting | undefined): string[] =>
  setting === undefined ? [] : typeof setting.shown === 'string' ? [setting.shown] : setting.shown;

const textOf = (setting: Setting | undefined): string =>
  setting === undefined ? 'not set' : entriesOf(setting).join(', ');

const listChange = (name: string, before: string[], after: string[]): string[] => {
  const changes = [
    ...after.filter((entry) => !before.includes(entry)).map((entry) => `${name}: added ${entry}`),
    ...before.filter((entry) => !after.includes(entry)).map((entry) => `${name}: removed ${entry}`),
  ];
  return changes.length > 0
    ? changes
    : [`${name}: changed in its order, or in what is not shown of it`];
};

const changeOf = (
  name: string,
  before: Setting | undefined,
  after: Setting | undefined,
): string[] => {
  if (before?.seal === after?.seal) return [];
  if (typeof (after ?? before)?.shown !== 'string')
    return listChange(name, entriesOf(before), entriesOf(after));
  const [was, is] = [textOf(before), textOf(after)];
  return [
    was === is ? `${name}: ${is} changed in what is not shown of it` : `${name}: ${was} → ${is}`,
  ];
};

/** What changed between two records that share a salt, a line each; empty: nothing. */
export const settingsChanges = (before: SettingsRecord, after: SettingsRecord): string[] => {
  const names = new Set([...Object.keys(before.settings), ...Object.keys(after.settings)]);
  const changes = [...names]
    .sort()
    .flatMap((name) => changeOf(name, before.settings[name], after.settings[name]));
  const more = changes.length - largestList;
  return more > 0 ? [...changes.slice(0, largestList), `and ${more} more`] : changes;
};

/** What an audit record says of changes; `summary` is what lists show. */
export const settingsDetails = (changes: string[]): AuditDetails => ({
  summary: changes.length <= 3 ? changes.join('; ') : `${changes.length} settings changed`,
  changes,
});
