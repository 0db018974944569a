import type { Environment } from './environment.ts';

/** The proxy that the environment names, as other programs understand it; null: none. */
export const proxyFrom = (environment: Environment): { url: string; except: string[] } | null => {
  const named = (name: string): string | undefined => {
    const value = environment[name] ?? environment[name.toUpperCase()];
    return value === '' ? undefined : value;
  };
  const url = named('https_proxy') ?? named('all_proxy') ?? named('http_proxy');
  if (url === undefined) return null;
  const except = (named('no_proxy') ?? '').split(/[\s,]+/).filter((host) => host !== '');
  return { url: /^[a-z]+:\/\//i.test(url) ? url : `http://${url}`, except };
};
