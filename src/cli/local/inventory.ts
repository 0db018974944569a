import type { Command } from 'commander';
import type { Inventory, InventoryPackage } from '../../core/advisories/inventory.ts';
import { inventoryText, reportedInventory } from '../advisories.ts';
import { readSocket } from '../remote.ts';
import type { CliDependencies } from '../remote.ts';

export interface InventoryDependencies extends CliDependencies {
  /** Installed packages of this machine, and what its repositories offer. */
  read: () => Promise<{
    inventory: Inventory;
    offers: InventoryPackage[];
    /** Why that is not known; null: it is. */
    problem: string | null;
  }>;
  /** Beside what is printed, for a person. */
  warn: (text: string) => void;
}

/** `groundswell inventory`: what this host has, without a server; or what another one has reported. */
export const registerInventory = (program: Command, deps: InventoryDependencies): void => {
  program
    .command('inventory')
    .description('installed packages of this host, for `match` on another machine, or for people')
    .option('--host <host>', 'what a host has reported to the server, in place of this one')
    .option('--json', 'print JSON, as `groundswell match --inventory` reads it')
    .option('--socket <path>', 'the socket of the server, with --host', readSocket)
    .action(async (options: { host?: string; json?: boolean; socket?: string }) => {
      if (options.host !== undefined) {
        await reportedInventory(deps, options.host, options);
        return;
      }
      const { inventory, offers, problem } = await deps.read();
      if (problem !== null)
        deps.warn(`its repositories cannot be read, so that nothing is offered: ${problem}\n`);
      deps.write(
        `${options.json === true ? JSON.stringify(inventory, null, 2) : inventoryText(inventory, offers)}\n`,
      );
    });
};
