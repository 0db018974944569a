import { spawn } from 'node:child_process';
import process from 'node:process';
import { killAll, membersOfGroup, signalProcess } from '../test/bed/processes.ts';

/** A command of the suite, run after others and before others. */
export interface Part {
  name: string;
  command: string[];
}

const INTERRUPTS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/**
 * Runs a part in a process group of its own and answers its exit status, 130 when it was interrupted. What it prints
 * goes where this process's own output goes, or into `output`, an open file.
 * A signal and the end of its time reach the whole group, and nothing of it is left afterwards: ended
 * alone, Jest would leave its workers at work on their test files, with nobody to report to.
 */
export const runPart = (
  { name, command: [program = '', ...args] }: Part,
  limitMs: number,
  output: 'inherit' | number = 'inherit',
): Promise<number> =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['inherit', output, output], detached: true });
    const group = child.pid;
    if (group === undefined) {
      child.once('error', reject);
      return;
    }
    let [interrupted, late] = [false, false];
    const forward = (signal: NodeJS.Signals): void => {
      interrupted = true;
      signalProcess(-group, signal);
    };
    for (const signal of INTERRUPTS) process.on(signal, forward);
    const timer = setTimeout(() => {
      late = true;
      signalProcess(-group, 'SIGKILL');
    }, limitMs);
    const nothingIsLeft = async (): Promise<void> => {
      if (process.platform === 'linux')
        await killAll(() => membersOfGroup(group), 10_000, `processes of ${name}`);
    };
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      for (const each of INTERRUPTS) process.off(each, forward);
      if (late) console.log(`ended: it had not come to its end after ${limitMs / 60_000} minutes`);
      nothingIsLeft().then(() => {
        resolve(interrupted ? 130 : signal === null && !late ? (code ?? 1) : 1);
      }, reject);
    });
  });
