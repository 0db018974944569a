import type { FastifyInstance } from 'fastify';
import type { z } from 'zod';
import type { Answer } from '../core/coordinator/operator.ts';
import { malformed } from './malformed.ts';

/** A change that is asked for by POST: 400 for what is none, 409 with the reason for what is not to be done. */
export const addChange = <T>(
  app: FastifyInstance,
  path: string,
  schema: z.ZodType<T>,
  change: (body: T, params: Readonly<Record<string, string>>) => Promise<Answer>,
): void => {
  app.post<{ Params: Record<string, string> }>(path, async (request, reply) => {
    const body = schema.safeParse(request.body);
    if (!body.success) return reply.status(400).send(malformed(body.error));
    const answer = await change(body.data, request.params);
    return reply.status(answer.ok ? 200 : 409).send(answer.ok ? answer : { error: answer.reason });
  });
};
