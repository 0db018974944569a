/** Something of a feed could not be fetched. */
export class FetchError extends Error {
  /** Without what is secret in it. */
  readonly url: string;
  readonly reason: string;
  /** Of the answer; null: there was none, or it was cut off. */
  readonly status: number | null;
  /** How long the server asks to be left alone; null: it does not say. */
  readonly retryAfterMs: number | null;

  constructor(
    url: string,
    reason: string,
    answer: { status?: number; retryAfterMs?: number | null } = {},
  ) {
    const shown = withoutSecrets(url);
    super(`${shown}: ${reason}`);
    this.name = 'FetchError';
    this.url = shown;
    this.reason = reason;
    this.status = answer.status ?? null;
    this.retryAfterMs = answer.retryAfterMs ?? null;
  }
}

/** An address as it may be shown: no password, no control characters, not endless. */
export const withoutSecrets = (text: string): string => {
  if (!URL.canParse(text)) return JSON.stringify(text.slice(0, 200));
  const url = new URL(text);
  if (url.username !== '' || url.password !== '') {
    url.username = '***';
    url.password = '';
  }
  return url.href.slice(0, 500);
};
