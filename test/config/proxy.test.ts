import { expect, test } from '@jest/globals';
import { proxyFrom } from '../../src/config/proxy.ts';

test.each([
  [{}, null],
  [{ https_proxy: '', HTTP_PROXY: '' }, null],
  [{ http_proxy: 'http://proxy:3128/' }, { url: 'http://proxy:3128/', except: [] }],
  [
    { HTTPS_PROXY: 'proxy:3128', http_proxy: 'http://other', NO_PROXY: 'a.example, .b,10.0.0.1' },
    { url: 'http://proxy:3128', except: ['a.example', '.b', '10.0.0.1'] },
  ],
])('the proxy of %j', (environment, proxy) => {
  expect(proxyFrom(environment)).toEqual(proxy);
});
