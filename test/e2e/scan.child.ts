import { z } from 'zod';
import { ContainerScan } from '../../src/core/observation.ts';
import { createLxcRuntime } from '../../src/host/lxc/lxc-runtime.ts';
import { layersOf } from '../../src/host/proc/layers-of.ts';
import { searchPath } from '../../src/host/proc/module-paths.ts';
import { scanContainer, scanHost, stillStale } from '../../src/host/proc/scan-host.ts';
import type { HostScan } from '../../src/host/proc/scan-host.ts';
import { createScanMemory } from '../../src/host/proc/scan-surroundings.ts';
import { startScanThread } from '../../src/host/proc/scan-thread.ts';

// Runs, compiled, in a host of the bed: `host`, `thread`, `container NAME`, `paths LANGUAGE`, `warm COUNT` or
// `still EARLIER` (scans by name, as JSON).
const [mode = 'host', ...rest] = process.argv.slice(2);
const containers = layersOf(await createLxcRuntime().list());

const run = async (): Promise<unknown> => {
  switch (mode) {
    case 'thread': {
      const thread = startScanThread();
      const [whole, one] = await Promise.all([
        thread.scanHost(containers),
        thread.scanContainer(containers[0]?.name ?? '', containers),
      ]);
      const failed = await thread.scanContainer('none-01', containers).catch(String);
      await thread.close();
      return { whole, one, failed };
    }
    case 'container':
      return scanContainer(rest[0] ?? '', { containers });
    case 'still': {
      const earlier = z.record(z.string(), ContainerScan).parse(JSON.parse(rest[0] ?? ''));
      // As the agent, who has scanned before.
      const memory = createScanMemory();
      await scanHost({ containers, memory });
      const answers = containers
        .filter(({ name }) => name in earlier)
        .map((one) => [
          one.name,
          stillStale(earlier[one.name] ?? { instance: null, stale: [] }, one, { memory }),
        ]);
      return Object.fromEntries(answers) as Record<string, boolean>;
    }
    case 'paths':
      return searchPath(rest[0] === 'perl' ? 'perl' : 'python');
    case 'warm': {
      const memory = createScanMemory();
      const scans: HostScan[] = [];
      while (scans.length < Number(rest[0])) scans.push(await scanHost({ containers, memory }));
      return scans;
    }
    default:
      return scanHost({ containers });
  }
};

console.log(JSON.stringify(await run()));
