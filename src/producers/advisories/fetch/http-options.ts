/** How servers are asked. */
export interface HttpOptions {
  /** Null: straight. `except` are hosts that are asked straight, as in `no_proxy`. */
  proxy: { url: string; except?: string[] } | null;
  /** Certificates (PEM) that are trusted beside the usual ones. */
  ca: string[];
  userAgent: string;
  timeouts: {
    connectMs: number;
    /** Without a byte from the server. */
    idleMs: number;
    /** Of one request, however much comes. */
    totalMs: number;
  };
  /** At once, to one server. */
  connections: number;
  /** Between two requests of many. */
  pauseMs: number;
}

export const httpDefaults: HttpOptions = {
  ...{ proxy: null, ca: [], userAgent: 'groundswell', connections: 4, pauseMs: 500 },
  timeouts: { connectMs: 15_000, idleMs: 60_000, totalMs: 2 * 60 * 60 * 1000 },
};
