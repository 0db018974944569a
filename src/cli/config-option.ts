import { defaultConfigFile } from '../config/load-config.ts';

/** The same wherever a command can be told of another configuration. */
export const configOption = [
  '-c, --config <file>',
  `configuration file (default ${defaultConfigFile})`,
] as const;
