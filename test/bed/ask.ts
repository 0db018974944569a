import { Agent, request } from 'node:http';
import { z } from 'zod';

/** What gs-demo-web answers. */
export const DemoAnswer = z.strictObject({
  host: z.string(),
  library: z.string(),
  extra: z.string().optional(),
});
export type DemoAnswer = z.infer<typeof DemoAnswer>;

export interface Endpoint {
  address: string;
  port: number;
}

export interface GetOptions {
  agent: Agent;
  timeoutMs: number;
}

/** One GET on `agent`; rejects with the network's error, or when the whole takes too long. */
export const httpGet = (
  { address, port }: Endpoint,
  path: string,
  { agent, timeoutMs }: GetOptions,
): Promise<{ status: number; body: string }> =>
  new Promise((resolve, reject) => {
    const sent = request({ host: address, port, path, agent }, (response) => {
      let body = '';
      response.setEncoding('utf8');
      response.on('data', (text: string) => (body += text));
      response.on('end', () => {
        clearTimeout(timer);
        resolve({ status: response.statusCode ?? 0, body });
      });
      response.on('error', reject);
    });
    const timer = setTimeout(
      () => sent.destroy(new Error(`no answer in ${timeoutMs} ms`)),
      timeoutMs,
    );
    sent.on('error', (error) => {
      clearTimeout(timer);
      reject(error);
    });
    sent.end();
  });

const fresh = (): Agent => new Agent({ keepAlive: false });

/** Which library the service at `endpoint` runs; rejects when it does not answer with 200. */
export const askVersion = async (endpoint: Endpoint, timeoutMs = 5000): Promise<DemoAnswer> => {
  const { status, body } = await httpGet(endpoint, '/', { agent: fresh(), timeoutMs });
  if (status !== 200) throw new Error(`${endpoint.address}:${endpoint.port} answers ${status}`);
  return DemoAnswer.parse(JSON.parse(body));
};

/** Whether `/health` answers 200 at this moment. */
export const fetchHealth = async (endpoint: Endpoint, timeoutMs = 1000): Promise<boolean> =>
  httpGet(endpoint, '/health', { agent: fresh(), timeoutMs }).then(
    ({ status }) => status === 200,
    () => false,
  );

/** Makes the service answer its health path with 503, or with 200 again, until it is restarted. */
export const setHealth = async (endpoint: Endpoint, health: 'ok' | 'bad'): Promise<void> => {
  const path = `/become?health=${health}`;
  const { status } = await httpGet(endpoint, path, { agent: fresh(), timeoutMs: 5000 });
  if (status !== 200) throw new Error(`${endpoint.address}:${endpoint.port} answers ${status}`);
};
