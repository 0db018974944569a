export const damaged = (what: string): Error => new Error(`zstd: its data is damaged (${what})`);
