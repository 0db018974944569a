import { appendFileSync, existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import Database from 'libsql';

/**
 * Preloaded into an agent (`node --import`), it kills that process at steps that it journals of a grant or an upgrade: just
 * before the step is durable, or just after, before anything is done by it. Which deaths are wanted is in
 * GROUNDSWELL_DEATHS_WANTED, as JSON; which there were stands in the file that GROUNDSWELL_DEATHS names, a line each, so
 * that the next life dies at another one.
 */
const wanted = new Set(JSON.parse(process.env['GROUNDSWELL_DEATHS_WANTED'] ?? '[]') as string[]);
const path = process.env['GROUNDSWELL_DEATHS'] ?? '';
const deaths = new Set(
  path !== '' && existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [],
);

interface Row {
  step: string;
  child?: object | null;
  end: object | null;
}

const stepOf = (part: unknown, body: string): string | null => {
  if (part !== 'grants' && part !== 'upgrades') return null;
  const { step, child, end } = JSON.parse(body) as Row;
  const of = part === 'grants' ? step : `upgrade ${step}`;
  if (end !== null) return `${of}, over`;
  return child === null || child === undefined ? of : `${of}, child known`;
};

const dieOnce = (death: string): void => {
  if (!wanted.has(death) || deaths.has(death)) return;
  deaths.add(death);
  appendFileSync(path, `${death}\n`);
  process.kill(process.pid, 'SIGKILL');
};

if (path !== '') {
  /** Steps that the transaction which is open has written. */
  let steps: string[] = [];
  const statement = Object.getPrototypeOf(new Database(':memory:').prepare('select 1')) as {
    run: (...values: unknown[]) => unknown;
  };
  const { run } = statement;
  statement.run = function (...values) {
    const [part, , body] = values;
    const step = typeof body === 'string' ? stepOf(part, body) : null;
    if (step !== null) steps.push(step);
    return run.apply(this, values);
  };
  const database = Database.prototype as { exec: (sql: string) => unknown };
  const { exec } = database;
  database.exec = function (sql) {
    const written = sql === 'commit' ? steps : [];
    // What is rolled back was not journaled.
    steps = [];
    for (const step of written) dieOnce(`before ${step}`);
    const result = exec.call(this, sql);
    for (const step of written) dieOnce(`after ${step}`);
    return result;
  };
}
