import { errorText } from '../../../core/error-text.ts';

const known: Record<string, string> = {
  ECONNREFUSED: 'nobody listens there (ECONNREFUSED)',
  ECONNRESET: 'the connection was dropped (ECONNRESET)',
  EHOSTUNREACH: 'there is no way to the server (EHOSTUNREACH)',
  ENETUNREACH: 'there is no way to the server (ENETUNREACH)',
  ENOTFOUND: 'there is no such host (ENOTFOUND)',
  EAI_AGAIN: 'the name of the host could not be looked up (EAI_AGAIN)',
  UND_ERR_CONNECT_TIMEOUT: 'the connection was not made in time',
  UND_ERR_HEADERS_TIMEOUT: 'the server did not answer in time',
  UND_ERR_BODY_TIMEOUT: 'the server stopped sending',
  UND_ERR_SOCKET: 'the connection was dropped',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the connection was dropped before the end',
  DEPTH_ZERO_SELF_SIGNED_CERT: "the server's certificate is signed by itself, and not trusted",
  SELF_SIGNED_CERT_IN_CHAIN: "the server's certificate is of a CA that is not trusted",
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: "the server's certificate is of a CA that is not trusted",
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: "the server's certificate is of a CA that is not trusted",
  CERT_HAS_EXPIRED: "the server's certificate has expired",
  ERR_TLS_CERT_ALTNAME_INVALID: "the server's certificate is for another name",
};

/** Why there was no answer, or no whole one, in words. */
export const networkReason = (error: unknown): string => {
  // Several addresses that all failed have no message of their own.
  const { code, errors, cause } = error as { code?: unknown; errors?: unknown[]; cause?: unknown };
  if (typeof code === 'string' && known[code] !== undefined) return known[code];
  if (Array.isArray(errors) && errors.length > 0) return networkReason(errors[0]);
  if (typeof cause === 'object' && cause !== null && 'code' in cause) return networkReason(cause);
  const text = errorText(error);
  const proxyStatus = /^Proxy response \((\d+)\)/.exec(text)?.[1];
  if (proxyStatus !== undefined) return `the proxy refused it (${proxyStatus})`;
  return text === '' ? 'the connection failed' : text;
};
