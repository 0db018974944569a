import { z } from 'zod';
import type {
  AgentGrant,
  AgentUpgrade,
  HostGate,
  Journal,
  KnownContainer,
  KnownJob,
} from '../../core/agent/journal.ts';
import { ContainerName } from '../../core/ids.ts';
import {
  GrantOrder,
  HostUpgrade,
  Outcome,
  RecordNumber,
  Report,
  Step,
  StepTime,
  Verification,
} from '../../core/messages.ts';
import { Instance } from '../../core/observation.ts';
import { SettingsRecord } from '../../core/settings-record.ts';

const Refused = z.strictObject({ outcome: z.enum(['refused', 'void']), reason: z.string() });

const GrantRow: z.ZodType<AgentGrant> = z.strictObject({
  order: GrantOrder,
  waveId: z.string(),
  jobId: z.string(),
  step: Step,
  steps: z.array(StepTime),
  found: z.string().nullable(),
  // Journals of before this field: whatever their drain did is undone.
  drains: z.boolean().default(true),
  child: z.strictObject({ pid: z.int(), startTime: z.string() }).nullable(),
  failed: z.boolean(),
  adopted: z.boolean(),
  tookOver: Step.nullable(),
  stopping: Instance.nullable(),
  ending: z
    .strictObject({ outcome: z.enum(['refused', 'void', 'gone']), reason: z.string() })
    .nullable(),
  verification: Verification.nullable(),
  end: z.strictObject({ outcome: Outcome, reason: z.string() }).nullable(),
});

const UpgradeRow: z.ZodType<AgentUpgrade> = z.strictObject({
  order: HostUpgrade,
  jobId: z.string(),
  step: z.enum(['waiting', 'running', 'ended']),
  // Journals of before these fields.
  noRoom: z.string().nullable().default(null),
  end: z
    .strictObject({ outcome: z.enum(['done', 'failed', 'void']), reason: z.string() })
    .nullable()
    .default(null),
});

const JobRow: z.ZodType<KnownJob> = z.strictObject({
  hash: z.string(),
  grants: z.array(z.string()),
  forgetAfter: z.number(),
});

const ContainerRow: z.ZodType<KnownContainer> = z.strictObject({
  instance: Instance.nullable(),
  // Journals of before this field.
  identity: z.string().nullable().default(null),
  ownerStopped: z.boolean(),
  // Journals of before these fields.
  died: z.boolean().default(false),
  traces: z.array(z.string()).nullable().default(null),
});

const GateRow: z.ZodType<HostGate> = z.strictObject({
  before: z.strictObject({
    at: z.number(),
    abilities: z.strictObject({ network: z.boolean(), dns: z.boolean() }).nullable(),
    healthy: z.array(ContainerName),
  }),
  failed: z.string().nullable(),
});

type MapPart = 'grants' | 'upgrades' | 'jobs' | 'refused' | 'reports' | 'containers' | 'settings';
type Scalars = Omit<Journal, MapPart>;

/** All of the journal that is no map, in one row. */
const ScalarsRow: z.ZodType<Scalars> = z.strictObject({
  incarnation: z.string().min(1),
  settled: z.boolean(),
  lastSeq: z.int().min(0),
  highestRecord: RecordNumber.nullable(),
  transactions: z.int().min(0),
  // Journals of before this field.
  gate: GateRow.nullable().default(null),
});

/** One map of the journal as rows. */
interface Part {
  name: MapPart;
  schema: z.ZodType;
  /** Written once and never changed in place: the object itself tells whether it is the one written. */
  fixed: (value: unknown) => boolean;
}

const always = (): boolean => true;

export const parts: readonly Part[] = [
  { name: 'grants', schema: GrantRow, fixed: (value) => (value as AgentGrant).end !== null },
  {
    name: 'upgrades',
    schema: UpgradeRow,
    fixed: (value) => (value as AgentUpgrade).step === 'ended',
  },
  { name: 'jobs', schema: JobRow, fixed: always },
  { name: 'refused', schema: Refused, fixed: always },
  { name: 'reports', schema: Report, fixed: always },
  { name: 'containers', schema: ContainerRow, fixed: always },
  { name: 'settings', schema: SettingsRecord, fixed: always },
];

export const scalarsOf = ({
  grants: _grants,
  upgrades: _upgrades,
  jobs: _jobs,
  refused: _refused,
  reports: _reports,
  containers: _containers,
  settings: _settings,
  ...scalars
}: Journal): Scalars => scalars;

const parse = <T>(schema: z.ZodType<T>, text: string, where: string): T => {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`the journal's ${where} is no JSON`);
  }
  const read = schema.safeParse(value);
  if (!read.success)
    throw new Error(`the journal's ${where} cannot be read: ${z.prettifyError(read.error)}`);
  return read.data;
};

/** A row of the journal's file: `part` is a map's name, or `scalars`. */
export interface JournalRow {
  part: string;
  key: string;
  body: string;
}

/** Rows, in the order in which they were first written, to a journal. Throws where one cannot be read. */
export const journalOf = (rows: readonly JournalRow[]): Journal => {
  const scalars = rows.find(({ part }) => part === 'scalars');
  if (scalars === undefined) throw new Error('the journal has no incarnation');
  const mapOf = <T>(name: MapPart, schema: z.ZodType<T>): Map<string, T> =>
    new Map(
      rows
        .filter(({ part }) => part === name)
        .map(({ key, body }) => [key, parse(schema, body, `${name} ${key}`)]),
    );
  return {
    ...parse(ScalarsRow, scalars.body, 'head'),
    grants: mapOf('grants', GrantRow),
    upgrades: mapOf('upgrades', UpgradeRow),
    jobs: mapOf('jobs', JobRow),
    refused: mapOf('refused', Refused),
    reports: new Map([...mapOf('reports', Report)].map(([key, value]) => [Number(key), value])),
    containers: mapOf('containers', ContainerRow),
    settings: mapOf('settings', SettingsRecord),
  };
};
