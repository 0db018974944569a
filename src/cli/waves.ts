import { SingleBar } from 'cli-progress';
import type { Command } from 'commander';
import type { AdvisoryPlan } from '../core/coordinator/plan-advisory.ts';
import { wrapLines } from './fit.ts';
import { advisoryPlanText } from './advisory-plan-text.ts';
import { nextChange } from './next-change.ts';
import { planText } from './plan-text.ts';
import { terminalWidth } from './print.ts';
import { remoteFor, withRemoteOptions } from './remote.ts';
import type { CliDependencies, Remote } from './remote.ts';
import { shortIds } from './short-ids.ts';
import { wavesTable } from './status.ts';
import type { Plan, ServiceSummary, WaveSummary } from './views.ts';
import { waveArgument, waveCalled } from './wave-called.ts';
import { endedWell, haltOf, isOver, waveText } from './wave-text.ts';

type Options = { json?: boolean; socket?: string };

/** Exit code of `wave --follow` for a wave that was stopped or declined, or that has not patched everything. */
const endedOtherwise = 10;

const done = (wave: WaveSummary): number =>
  wave.total -
  (wave.counts['pending'] ?? 0) -
  (wave.counts['restarting'] ?? 0) -
  (wave.counts['failed'] ?? 0);

const readWave = async (remote: Remote, id: string): Promise<WaveSummary> =>
  (await remote.get(`/v1/waves/${encodeURIComponent(id)}`)) as WaveSummary;

/** Show a wave as it moves: a bar on a terminal, one line a change elsewhere. Ends when the wave does. */
const follow = async (deps: CliDependencies, remote: Remote, id: string): Promise<WaveSummary> => {
  let wave = await readWave(remote, id);
  const bar =
    deps.interactive && !remote.json
      ? new SingleBar({
          format: '{bar} {value}/{total}  {state}  {services}',
          // Room for the state and two services beside it.
          barsize: Math.max(8, Math.min(30, terminalWidth() - 62)),
          hideCursor: true,
          clearOnComplete: false,
        })
      : null;
  let last = '';
  let lastHalt: string | null = null;
  /** What keeps it from going on, with what ends that: once, on a line of its own. */
  const tellHalt = (): void => {
    const halt = haltOf(wave);
    if (halt !== null && halt !== lastHalt && !remote.json) {
      bar?.stop();
      remote.line(deps.interactive ? wrapLines(shortIds(halt), terminalWidth()) : halt);
      bar?.start(Math.max(1, wave.total), done(wave), { state: wave.state, services: '' });
    }
    lastHalt = halt;
  };
  const paint = async (): Promise<void> => {
    const services = (await remote.get('/v1/services')) as ServiceSummary[];
    const concerned = services
      .map(
        ({ name, available, members, floor }) => `${name} ${available}/${members} (floor ${floor})`,
      )
      .join('  ');
    tellHalt();
    if (bar !== null) {
      bar.setTotal(Math.max(1, wave.total));
      bar.update(done(wave), { state: wave.state, services: concerned });
      return;
    }
    const line = remote.json
      ? JSON.stringify(wave)
      : `${wave.id} ${wave.state} ${done(wave)}/${wave.total}  ${concerned}`;
    if (line !== last) remote.line(line);
    last = line;
  };
  bar?.start(Math.max(1, wave.total), done(wave), { state: wave.state, services: '' });
  await paint();
  while (!isOver(wave)) {
    await nextChange(remote.socketPath, 500);
    wave = await readWave(remote, id);
    await paint();
  }
  bar?.stop();
  return wave;
};

/** `waves`, `wave` and `plan`. */
export const registerWaves = (program: Command, deps: CliDependencies): void => {
  withRemoteOptions(program.command('waves').description('list the waves')).action(
    async (options: Options) => {
      const remote = remoteFor(deps, options);
      remote.show((await remote.get('/v1/waves')) as WaveSummary[], (waves) =>
        waves.length === 0 ? 'no waves yet' : wavesTable(waves),
      );
    },
  );
  withRemoteOptions(
    program.command('wave').argument('<id>', waveArgument).description('show one wave'),
  )
    .option('-f, --follow', 'watch it until it is over')
    .action(async (wanted: string, options: Options & { follow?: boolean }) => {
      const remote = remoteFor(deps, options);
      const id = await waveCalled(remote, wanted);
      const wave =
        options.follow === true ? await follow(deps, remote, id) : await readWave(remote, id);
      if (options.follow === true && !endedWell(wave)) deps.setExitCode(endedOtherwise);
      if (options.follow !== true || !remote.json) remote.show(wave, (shown) => waveText(shown));
    });
  withRemoteOptions(
    program
      .command('plan')
      .summary('what would be restarted, why, in which order, how long')
      .description(
        'which containers would be restarted, why, in which order, how long, and what is impossible',
      ),
  )
    .option('--advisory <id>', 'what this advisory would lead to, decided or not')
    .action(async (options: Options & { advisory?: string }) => {
      const remote = remoteFor(deps, options);
      if (options.advisory !== undefined) {
        const path = `/v1/advisories/${encodeURIComponent(options.advisory)}/plan`;
        remote.show((await remote.get(path)) as AdvisoryPlan, advisoryPlanText);
        return;
      }
      remote.show((await remote.get('/v1/plan')) as Plan, (plan) => planText(plan));
    });
};
