#!/usr/bin/env node
import { existsSync } from 'node:fs';

const entry = new URL('../dist/src/main/cli.js', import.meta.url);
if (existsSync(entry)) await import(entry.href);
else {
  console.error('Groundswell is not compiled yet: npm run build');
  process.exitCode = 1;
}
