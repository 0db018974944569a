import { resolve } from 'node:path';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { readDistribution } from '../test/bed/apt-sources.ts';
import type { Distribution } from '../test/bed/apt-sources.ts';
import { DEFAULT_CACHE_DIRECTORY } from '../test/bed/bed.ts';
import type { Bed } from '../test/bed/bed.ts';
import { holdsHostNumbers, releaseHostNumbers } from '../test/bed/claim-numbers.ts';
import { cleanBed } from '../test/bed/clean.ts';
import { endSetup } from '../test/bed/end-setup.ts';
import { exists } from '../test/bed/exists.ts';
import type { BedHost } from '../test/bed/host.ts';
import { onInterrupt } from '../test/bed/on-interrupt.ts';
import { rootTarPath } from '../test/bed/root-cache.ts';
import { DNF_ROOT_PACKAGES } from '../test/bed/dnf-packages.ts';
import { createScene } from '../test/bed/scene.ts';
import type { Scene } from '../test/bed/scene.ts';
import { tellHowToExplore } from './explore.ts';
import { parseQuickstartOptions, usage } from './options.ts';
import type { QuickstartOptions } from './options.ts';
import { prepareRealHost, realService, requireMirror } from './real-host.ts';
import { realUpdate } from './real-update.ts';
import { demoUpdate, tellStory } from './story.ts';

const directory = '/var/lib/groundswell-bed/quickstart';
const hostNumber = 1;
// dist/quickstart/main.js lies two directories below the checkout.
const projectDirectory = resolve(fileURLToPath(new URL('../..', import.meta.url)));

const write = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const textOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

const buildScene = async (
  options: QuickstartOptions,
  distribution: Distribution,
  undo: (() => Promise<void>)[],
): Promise<Scene> => {
  const more = options.packages === 'dnf' ? DNF_ROOT_PACKAGES : [];
  const known = await exists(rootTarPath(DEFAULT_CACHE_DIRECTORY, distribution, more));
  write(
    `Building one host with its own root, ${options.packages} and LXC (${known ? 'a few seconds' : 'two to three minutes the first time'}) ...`,
  );
  const { containersPerService: count, startDelayMs } = options;
  // Of two containers both would be down at once.
  const budget = { count, maxUnavailable: Math.min(2, count - 1) };
  const service = options.real
    ? { ...budget, command: realService(startDelayMs) }
    : {
        ...budget,
        arguments: startDelayMs === 0 ? [] : ['--start-delay-ms', String(startDelayMs)],
      };
  const prepare = async (_: Bed, host: BedHost): Promise<void> => {
    write(`  fetching what ${distribution.mirror} has ...`);
    const { close } = await prepareRealHost(host, distribution, { directory, projectDirectory });
    undo.push(close);
  };
  return createScene({
    ...{ directory, hostNumber, projectDirectory, packages: options.packages },
    services: { web: service, api: service },
    ...(options.real ? { prepare } : {}),
    report: (line) => {
      write(`  ${line}`);
    },
  });
};

/** A connection that breaks off does not say why Groundswell ended; what that wrote does. */
const endOfUp = async (scene: Scene): Promise<string> => {
  const { exited, stderr, stdout } = scene.up();
  const status = await Promise.race([exited, sleep(1_000, null)]);
  return status === null
    ? ''
    : `\ngroundswell up has ended with status ${status}:\n${stderr()}${stdout().slice(-2_000)}`;
};

const main = async (): Promise<number> => {
  const words = process.argv.slice(2);
  if (words.includes('--help') || words.includes('-h')) {
    write(usage);
    return 0;
  }
  let options;
  try {
    options = parseQuickstartOptions(words);
  } catch (error) {
    write(textOf(error));
    return 2;
  }
  const began = performance.now();
  const interrupt = new AbortController();
  const undo: (() => Promise<void>)[] = [];
  const cleanUp = async (): Promise<void> => {
    for (const step of undo.splice(0)) await step();
    await endSetup(DEFAULT_CACHE_DIRECTORY, write);
    // Without its number there has been no host yet, nor need the programs be there that clean up; another
    // quickstart may have it.
    if (await holdsHostNumbers([hostNumber], directory)) await cleanBed(directory, [hostNumber]);
    // What was under way may have begun its next step meanwhile.
    await endSetup(DEFAULT_CACHE_DIRECTORY, write);
    await releaseHostNumbers([hostNumber], directory);
  };
  const off = onInterrupt(cleanUp, (line) => {
    // First: a bar that goes on painting would hide what is said here.
    interrupt.abort();
    write(line);
  });
  try {
    const distribution = await readDistribution();
    if (options.real) await requireMirror(distribution);
    const scene = await buildScene(options, distribution, undo);
    const update = options.real ? realUpdate(scene, distribution, write) : demoUpdate(scene, write);
    await tellStory(scene, update, write, interrupt.signal).catch(async (error: unknown) => {
      throw new Error(`${textOf(error)}${await endOfUp(scene)}`, { cause: error });
    });
    write(`\nDone in ${((performance.now() - began) / 1000).toFixed(0)} s.`);
    if (options.keep) {
      tellHowToExplore(scene, write);
      await new Promise(() => setInterval(() => undefined, 60_000));
    }
    return 0;
  } catch (error) {
    // Whoever interrupts knows why it failed; the handler above ends the process.
    if (interrupt.signal.aborted) await new Promise(() => undefined);
    write(`\nThe quickstart failed: ${textOf(error)}`);
    return 1;
  } finally {
    write('Cleaning up ...');
    await cleanUp();
    off();
  }
};

process.exitCode = await main();
