import { z } from 'zod';
import { Step } from '../src/core/messages.ts';
import type { Scene } from '../test/bed/scene.ts';

const RecordedStep = z.object({ step: Step, serverMs: z.number() });

const Row = z.object({
  position: z.number(),
  record: z.object({
    action: z.string(),
    at: z.iso.datetime().optional(),
    subject: z.string().optional(),
    service: z.string().nullish(),
    wave: z.string().nullish(),
    outcome: z.string().nullish(),
    details: z
      .object({ steps: z.array(RecordedStep).optional(), verification: z.string().nullish() })
      .nullish(),
  }),
});

/** One restart as the audit trail has it: when each step was reached, in ms of the server's clock. */
export interface OwnRestart {
  service: string;
  verification: string | null;
  at: ReadonlyMap<Step, number>;
}

const stepsOf = (steps: readonly z.infer<typeof RecordedStep>[]): Map<Step, number> =>
  new Map(steps.map(({ step, serverMs }) => [step, serverMs]));

/** The restarts of one wave out of the audit records `restart-ended`. */
export const restartsOf = async (scene: Scene, waveId: string): Promise<OwnRestart[]> => {
  const rows = z.array(Row).parse(await scene.get(`/v1/audit?limit=10000&wave=${waveId}`));
  return rows.flatMap(({ record: { action, service, details } }) =>
    action === 'restart-ended'
      ? [
          {
            service: service ?? '',
            verification: details?.verification ?? null,
            at: stepsOf(details?.steps ?? []),
          },
        ]
      : [],
  );
};

/** Time from one step to another, in ms; NaN where one of them was not reached. */
export const between = ({ at }: OwnRestart, from: Step, to: Step): number =>
  (at.get(to) ?? Number.NaN) - (at.get(from) ?? Number.NaN);

/** What each piece between two steps is. */
export const pieces: readonly { what: string; from: Step; to: Step }[] = [
  { what: 'check before the drain', from: 'journaled', to: 'draining' },
  { what: 'drain', from: 'draining', to: 'drained' },
  { what: 'check before the stop', from: 'drained', to: 'stopping' },
  { what: 'stop', from: 'stopping', to: 'stopped' },
  { what: 'start', from: 'stopped', to: 'started' },
  { what: 'health', from: 'started', to: 'healthy' },
  { what: 'undrain', from: 'healthy', to: 'undrained' },
  { what: 'verify', from: 'undrained', to: 'done' },
];

/** Times of the audit records of one wave by their action, wall clock in ms. */
export const auditTimes = async (
  scene: Scene,
): Promise<{
  all: (action: string, waveId: string) => number[];
  first: (action: string, waveId: string) => number | undefined;
}> => {
  const rows = z.array(Row).parse(await scene.get('/v1/audit?limit=10000'));
  const all = (wanted: string, waveId: string): number[] =>
    rows
      .filter(({ record: { action, wave } }) => action === wanted && wave === waveId)
      .map(({ record: { at } }) => Date.parse(at ?? ''));
  return { all, first: (action, waveId) => all(action, waveId).sort((a, b) => a - b)[0] };
};
