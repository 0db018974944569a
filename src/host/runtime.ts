import type { ContainerName } from '../core/ids.ts';
import type { Instance } from '../core/observation.ts';

/** How a container's root filesystem relates to the host's root. */
export type RootKind =
  /** OverlayFS whose lower layer is (a bind mount of) the host's root: ours to restart. */
  | { kind: 'host-overlay'; lower: string; upper: string }
  /** The same, written in the keys of LXC before 3 (`lxc.rootfs = overlayfs:…`). */
  | { kind: 'host-overlay-old-keys'; lower: string; upper: string }
  /** Own directory, other lower layer, other backing store: listed and left alone. */
  | { kind: 'other'; describe: string };

export interface RuntimeContainer {
  name: ContainerName;
  root: RootKind;
  /** `lxc.group`, in the order of the configuration. */
  groups: string[];
  /** First IPv4 address of the configuration, without prefix length. */
  address: string | null;
  autostart: boolean;
  /** Tells it from another one that has or had the same name; left out where nothing does. */
  identity?: string;
  /** Where its configuration lies, of runtimes that keep each in a file. */
  configPath?: string;
}

export type RuntimeState =
  | { state: 'running' | 'frozen'; instance: Instance }
  | { state: 'stopped' | 'starting' | 'stopping' | 'aborting' | 'gone'; instance: null };

/** A child that works for us and may outlive us: pid and start time identify it (R23). */
export interface ChildIdentity {
  pid: number;
  startTime: string;
}

/** What Groundswell needs of a container runtime. LXC today; small, so that others can follow. */
export interface ContainerRuntime {
  list(): Promise<RuntimeContainer[]>;
  state(name: ContainerName): Promise<RuntimeState>;
  /** Address that a running container has now, however it came by it. Null: none, or it does not run. */
  addressOf(name: ContainerName): Promise<string | null>;
  /**
   * Ask for a graceful stop, kill after `timeoutMs`, and answer when the container is stopped.
   * `onChild` is called with the child's identity before it is awaited.
   */
  stop(
    name: ContainerName,
    options: { timeoutMs: number; onChild?: (child: ChildIdentity) => void },
  ): Promise<RuntimeState>;
  /** Start, and answer with the state that is really seen (exit codes are not to be trusted). */
  start(name: ContainerName): Promise<RuntimeState>;
}
