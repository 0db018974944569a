import { appendFileSync } from 'node:fs';
import { relative } from 'node:path';
import process from 'node:process';

/**
 * A reporter that appends the tests that were skipped to the file that `GROUNDSWELL_SKIPPED` names: Jest itself only
 * counts them, and a part of the suite passes with whatever it has left out.
 */
export default class NameSkipped {
  #rootDir;

  constructor({ rootDir }) {
    this.#rootDir = rootDir;
  }

  onTestResult(_test, { testFilePath, testResults }) {
    const path = process.env.GROUNDSWELL_SKIPPED;
    if (path === undefined) return;
    const file = relative(this.#rootDir, testFilePath);
    for (const { fullName: name, status } of testResults)
      if (status !== 'passed' && status !== 'failed')
        appendFileSync(path, `${JSON.stringify({ file, name })}\n`);
  }
}
