import { errorText } from '../../../core/error-text.ts';

const dropped = 'the connection was dropped';
const untrusted = "the server's certificate is of a CA that is not trusted";
const known: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  ECONNRESET: dropped,
  EPIPE: dropped,
  EHOSTUNREACH: 'there is no way to the server (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to the server (ENETUNREACH)',
  ENOTFOUND: 'there is no such host (ENOTFOUND)',
  EAI_AGAIN: 'the name of the host could not be looked up (EAI_AGAIN)',
  ETIMEDOUT: 'the connection was not made in time',
  CONNECT_TIMEOUT: 'the connection was not made in time',
  ANSWER_TIMEOUT: 'the server did not answer in time',
  BODY_TIMEOUT: 'the server stopped sending',
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself, and not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
};

/** Why there was no answer, or no whole one, in words. */
export const networkReason = (error: unknown): string => {
  // Several addresses that all failed have no message of their own.
  const { code, errors } = error as { code?: unknown; errors?: unknown[] };
  if (typeof code === 'string' && known[code] !== undefined) return known[code];
  if (code === 'EPROTO' || (typeof code === 'string' && code.startsWith('ERR_SSL_')))
    return `no protected connection could be made (${code})`;
  if (Array.isArray(errors) && errors.length > 0) return networkReason(errors[0]);
  const text = errorText(error);
  return text === '' ? 'the connection failed' : text;
};
