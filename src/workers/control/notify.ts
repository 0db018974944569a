import { execa } from 'execa';
import type { Notice } from '../../core/coordinator/turn.ts';

export interface NotifySettings {
  /** Argument vector; the notice is given as JSON on standard input. */
  command?: string[] | undefined;
  /** Gets the notice as a JSON POST. */
  webhook?: string | undefined;
}

const limitMs = 10_000;

/** Tell operators that a wave needs approval, pauses, fails or ends. Failing to tell is reported, never fatal. */
export const createNotifier =
  (settings: NotifySettings, onError: (error: unknown, what: string) => void) =>
  (notice: Notice): void => {
    const body = JSON.stringify(notice);
    const [program, ...args] = settings.command ?? [];
    if (program !== undefined)
      void execa(program, args, { input: body, timeout: limitMs, extendEnv: true }).catch(
        (error: unknown) => onError(error, `notification command ${program}`),
      );
    if (settings.webhook !== undefined) {
      const url = settings.webhook;
      void fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body,
        signal: AbortSignal.timeout(limitMs),
      })
        .then((response) => {
          if (!response.ok) onError(new Error(`answered ${response.status}`), `webhook ${url}`);
        })
        .catch((error: unknown) => onError(error, `webhook ${url}`));
    }
  };
