import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';

/** The server said no, or could not be reached; `message` is fit for an operator. */
export class ApiError extends Error {
  readonly status: number | null;
  constructor(message: string, status: number | null) {
    super(message);
    this.name = 'ApiError';
    this.status = status;
  }
}

const describe = (error: NodeJS.ErrnoException, socketPath: string): string => {
  switch (error.code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return `no server answers at ${socketPath}. Start one (groundswell up), or name its socket with --socket`;
    case 'EACCES':
      return `no permission for ${socketPath}: run as root, or join the group groundswell`;
    default:
      return `cannot reach the server at ${socketPath}: ${error.message}`;
  }
};

const readAll = async (response: IncomingMessage): Promise<string> => {
  let text = '';
  for await (const chunk of response.setEncoding('utf8') as AsyncIterable<string>) text += chunk;
  return text;
};

/** One call to the server's API over its Unix socket. Throws `ApiError` with what the server said. */
export const callApi = async (
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<unknown> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const sent = request(
      {
        socketPath,
        method,
        path,
        timeout: 30_000,
        headers: payload === undefined ? {} : { 'content-type': 'application/json' },
      },
      resolve,
    );
    sent.on('error', (error: NodeJS.ErrnoException) => {
      reject(new ApiError(describe(error, socketPath), null));
    });
    sent.on('timeout', () => sent.destroy(new Error('no answer within 30 s')));
    sent.end(payload);
  });
  const text = await readAll(response);
  let parsed: unknown;
  try {
    parsed = JSON.parse(text) as unknown;
  } catch {
    throw new ApiError(
      `the server at ${socketPath} answered ${response.statusCode ?? 0} with something that is not JSON`,
      response.statusCode ?? null,
    );
  }
  if ((response.statusCode ?? 500) < 300) return parsed;
  const reason =
    typeof parsed === 'object' && parsed !== null && 'error' in parsed
      ? String(parsed.error)
      : text;
  throw new ApiError(reason, response.statusCode ?? null);
};

/** The bytes of an answer that is a file. Throws `ApiError`; the stream ends with an error where it is not whole. */
export const downloadApi = async (socketPath: string, path: string): Promise<IncomingMessage> => {
  const response = await new Promise<IncomingMessage>((resolve, reject) => {
    request({ socketPath, method: 'GET', path }, resolve)
      .on('error', (error: NodeJS.ErrnoException) => {
        reject(new ApiError(describe(error, socketPath), null));
      })
      .end();
  });
  if (response.statusCode === 200) return response;
  throw new ApiError(await readAll(response), response.statusCode ?? null);
};

/** Call `onChange` at each change that the server tells of, until the returned function is called. */
export const followChanges = (
  socketPath: string,
  onChange: () => void,
  onEnd: (error: ApiError | null) => void,
): (() => void) => {
  const sent: ClientRequest = request(
    { socketPath, method: 'GET', path: '/v1/changes' },
    (response) => {
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        if (chunk.includes('event: change')) onChange();
      });
      response.on('end', () => {
        onEnd(null);
      });
      response.on('error', () => {
        onEnd(null);
      });
    },
  );
  sent.on('error', (error: NodeJS.ErrnoException) => {
    onEnd(new ApiError(describe(error, socketPath), null));
  });
  sent.end();
  return () => {
    sent.destroy();
  };
};
