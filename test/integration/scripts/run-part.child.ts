import process from 'node:process';
import { runPart } from '../../../scripts/run-part.ts';

// Limit in ms, then the command. It ends with what the part answers.
const [limitMs = '', ...command] = process.argv.slice(2);
try {
  process.exitCode = await runPart({ name: 'this', command }, Number(limitMs));
} catch (error) {
  console.log(`failed: ${String(error)}`);
  process.exitCode = 99;
}
