/** Numbers that look random and are the same for each seed and stream: what one part draws moves no other. */
export interface Random {
  /** A whole number from 0 to below `limit`. */
  below: (limit: number) => number;
  /** A whole number from `least` to `most`. */
  between: (least: number, most: number) => number;
  chance: (percent: number) => boolean;
}

const hashOf = (text: string): number => {
  let hash = 2166136261;
  for (let at = 0; at < text.length; at++)
    hash = Math.imul(hash ^ text.charCodeAt(at), 16777619) >>> 0;
  return hash;
};

/** Mulberry32. */
export const randomOf = (seed: number, stream: string): Random => {
  let state = hashOf(`${seed} ${stream}`);
  const draw = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
  const below = (limit: number): number => Math.floor(draw() * limit);
  return {
    below,
    between: (least, most) => least + below(most - least + 1),
    chance: (percent) => percent > 0 && below(100) < percent,
  };
};
