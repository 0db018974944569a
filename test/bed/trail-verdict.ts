import { groundswell } from './scene.ts';
import type { Scene } from './scene.ts';

/**
 * What an auditor is told of the whole trail, as it is now, checked with this program and no server. Every wave is over by then:
 * nothing may be under way, so what has no outcome is a finding.
 */
export const trailVerdict = async ({ host }: Pick<Scene, 'host'>): Promise<string> => {
  const [trail, keys] = ['/root/trail.jsonl.gz', '/root/trail.keys'];
  await host.must([...groundswell, 'audit', 'export', trail]);
  await host.must(['sh', '-c', `${groundswell.join(' ')} audit keys >${keys}`]);
  const verify = ['audit', 'verify', trail, '--key', keys, '--under-way', '0'];
  const told = await host.run([...groundswell, ...verify]);
  return `${told.stdout}${told.stderr}`;
};
