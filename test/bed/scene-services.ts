export interface SceneService {
  count: number;
  arguments?: readonly string[];
  /** What its containers run instead of the demo program. */
  command?: readonly string[];
  mode?: 'auto' | 'approve' | 'observe';
  maxUnavailable?: number;
  minHealthyTimeMs?: number;
  drain?: boolean;
  healthyDeadlineMs?: number;
  /** YAML of its health check; default: HTTP. */
  health?: string;
  /** More lines of its settings. */
  more?: readonly string[];
}

/** The `services` of a scene's configuration, for a host that reaches HAProxy at `haproxySocket`. */
export const servicesYaml = (
  services: Readonly<Record<string, SceneService>>,
  { haproxySocket, haproxyServer }: { haproxySocket: string; haproxyServer: string },
): string =>
  [
    'services:',
    ...Object.entries(services).flatMap(
      ([
        name,
        {
          mode = 'auto',
          maxUnavailable = 2,
          minHealthyTimeMs = 0,
          drain = true,
          healthyDeadlineMs = 30_000,
          health = '{ kind: http, port: 8080, path: /health }',
          more = [],
        },
      ]) => [
        `  - name: ${name}`,
        `    match: [{ group: ${name} }]`,
        `    budget: { maxUnavailable: ${maxUnavailable} }`,
        `    mode: ${mode}`,
        `    health: ${health}`,
        `    minHealthyTimeMs: ${minHealthyTimeMs}`,
        `    healthyDeadlineMs: ${healthyDeadlineMs}`,
        '    stopTimeoutMs: 5000',
        ...more.map((line) => `    ${line}`),
        ...(drain
          ? [
              `    haproxy: { socket: "${haproxySocket}", backend: ${name}, server: "${haproxyServer}" }`,
            ]
          : []),
      ],
    ),
  ].join('\n');
