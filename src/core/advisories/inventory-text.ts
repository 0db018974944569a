import type { Inventory, InventoryPackage } from './inventory.ts';

/** A package as a text, which is the same for the same package. */
export const packageText = (one: InventoryPackage): string =>
  [
    ...[one.name, one.arch, one.version, one.source ?? '', one.sourceVersion ?? ''],
    ...[one.module ?? '', one.repository ?? '', one.vendor ?? '', one.held === true ? 'held' : ''],
    one.through?.name ?? '',
    ...(one.likelyModule === undefined ? [] : [one.likelyModule]),
  ].join('\t');

/** An inventory as a text, which is the same for the same packages in any order, on the same platform. */
export const textOfInventory = ({ platform, channels, kernel, packages }: Inventory): string =>
  [
    ...[platform, kernel ?? '', ...(channels ?? []).toSorted(), ''],
    ...packages.map(packageText).sort(),
  ].join('\n');
