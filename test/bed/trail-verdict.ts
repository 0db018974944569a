import { groundswell } from './scene.ts';
import type { Scene } from './scene.ts';

/** What an auditor is told of the whole trail, as it is now, checked with this program and no server. */
export const trailVerdict = async ({ host }: Pick<Scene, 'host'>): Promise<string> => {
  const [trail, keys] = ['/root/trail.jsonl.gz', '/root/trail.keys'];
  await host.must([...groundswell, 'audit', 'export', trail]);
  await host.must(['sh', '-c', `${groundswell.join(' ')} audit keys >${keys}`]);
  const told = await host.run([...groundswell, 'audit', 'verify', trail, '--key', keys]);
  return `${told.stdout}${told.stderr}`;
};
