import { z } from 'zod';
import type { BedContainer } from '../test/bed/containers.ts';
import type { BedHost } from '../test/bed/host.ts';

/**
 * What people write: stop, start, wait for the port; `$1` at once, the rest are NAME=ADDRESS:PORT.
 * Waits 1 ms between two connects, without a child process. Prints a line per restart, in microseconds
 * of the wall clock: name, begin, stopped, started, port open.
 */
const script = `set -u
at_once=$1; shift
fifo=/run/bare-restart.$$; mkfifo "$fifo"; exec 9<>"$fifo"; rm "$fifo"
restart() {
  local name=\${1%%=*} address=\${1#*=} begin stopped started
  begin=\${EPOCHREALTIME/./}
  lxc-stop -n "$name" -t 5 || return
  stopped=\${EPOCHREALTIME/./}
  lxc-start -n "$name" || return
  started=\${EPOCHREALTIME/./}
  until { exec 8<>"/dev/tcp/\${address%:*}/\${address#*:}"; } 2>/dev/null; do read -rt 0.001 -u 9; done
  echo "$name $begin $stopped $started \${EPOCHREALTIME/./}"
  exec 8>&-
}
if [ "$at_once" = 1 ]; then
  for one; do restart "$one"; done
else
  running=0
  for one; do
    if [ "$running" -ge "$at_once" ]; then wait -n; running=$((running - 1)); fi
    restart "$one" & running=$((running + 1))
  done
  wait
fi`;

export interface BareRestart {
  name: string;
  beginMs: number;
  stopMs: number;
  startMs: number;
  portMs: number;
  totalMs: number;
}

const Line = z.tuple([
  z.string(),
  z.coerce.number(),
  z.coerce.number(),
  z.coerce.number(),
  z.coerce.number(),
]);

/**
 * Restarts each container once in a plain loop of bash(1) in the host, `atOnce` of them at a time.
 * Throws when one did not come back.
 */
export const restartBare = async (
  host: BedHost,
  containers: readonly BedContainer[],
  atOnce: number,
): Promise<BareRestart[]> => {
  const output = await host.must(
    [
      ...['bash', '-c', script, 'bare-restart', String(atOnce)],
      ...containers.map(({ name, address, port }) => `${name}=${address}:${port}`),
    ],
    { timeoutMs: 300_000 },
  );
  const lines = output.split('\n').filter((line) => line !== '');
  if (lines.length !== containers.length)
    throw new Error(`the bare loop restarted ${lines.length} of ${containers.length}: ${output}`);
  return lines.map((line) => {
    const [name, begin, stopped, started, open] = Line.parse(line.split(' '));
    return {
      name,
      beginMs: begin / 1000,
      stopMs: (stopped - begin) / 1000,
      startMs: (started - stopped) / 1000,
      portMs: (open - started) / 1000,
      totalMs: (open - begin) / 1000,
    };
  });
};
