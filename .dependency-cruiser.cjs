/** Who may import whom. Each layer names what it may reach; anything else is an error. */
const layers = {
  core: [],
  jobs: ['core'],
  telemetry: ['core'],
  config: ['core', 'telemetry'],
  'producers/advisories': ['core', 'telemetry'],
  host: ['core', 'telemetry'],
  store: ['core', 'telemetry'],
  audit: ['core', 'store', 'telemetry'],
  producers: ['core', 'jobs', 'host', 'store', 'audit', 'telemetry', 'producers/advisories'],
  'workers/control': ['core', 'jobs', 'store', 'audit', 'telemetry', 'config'],
  'workers/agent': ['core', 'jobs', 'host', 'store', 'audit', 'telemetry', 'config', 'producers'],
  api: ['core', 'jobs', 'store', 'audit', 'telemetry'],
  'cli/local': ['core', 'config', 'cli', 'host', 'audit', 'producers/advisories', 'telemetry'],
  cli: ['core', 'config', 'telemetry', 'cli/local', 'api/client'],
};

const ownPath = (layer) =>
  layer === 'cli'
    ? '^src/cli/(?!local/)'
    : layer === 'producers'
      ? '^src/producers/(?!advisories/)'
      : `^src/${layer}/`;

const layerRules = Object.entries(layers).map(([layer, allowed]) => ({
  name: `layer-${layer.replace('/', '-')}`,
  severity: 'error',
  comment: `src/${layer} may import only: ${[layer, ...allowed].join(', ')}`,
  from: { path: ownPath(layer) },
  to: {
    path: '^src/',
    pathNot: [ownPath(layer), ...allowed.map((name) => `^src/${name}(/|\\.ts$)`)],
  },
}));

module.exports = {
  forbidden: [
    ...layerRules,
    {
      name: 'core-is-pure',
      severity: 'error',
      comment: 'core imports nothing but zod: no node:, no Redis, no SQL, no logger',
      from: { path: '^src/core/' },
      to: {
        dependencyTypes: ['core', 'npm', 'npm-dev', 'npm-optional', 'npm-peer'],
        pathNot: '/zod/',
      },
    },
    {
      name: 'nothing-imports-main',
      severity: 'error',
      from: { pathNot: '^src/main/' },
      to: { path: '^src/main/' },
    },
    { name: 'no-cycles', severity: 'error', from: {}, to: { circular: true } },
    { name: 'resolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: { extensions: ['.ts', '.js'], conditionNames: ['import', 'node'] },
  },
};
