import { isatty } from 'node:tty';
import pc from 'picocolors';

/** Colours on a terminal alone: picocolors by itself also colours pipes, where the variable CI is set. */
export const colours = pc.createColors(pc.isColorSupported && isatty(1));
