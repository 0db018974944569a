export interface SceneService {
  count: number;
  arguments?: readonly string[];
  mode?: 'auto' | 'approve' | 'observe';
  maxUnavailable?: number;
  minHealthyTimeMs?: number;
  drain?: boolean;
  healthyDeadlineMs?: number;
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
        },
      ]) => [
        `  - name: ${name}`,
        `    match: [{ group: ${name} }]`,
        `    budget: { maxUnavailable: ${maxUnavailable} }`,
        `    mode: ${mode}`,
        '    health: { kind: http, port: 8080, path: /health }',
        `    minHealthyTimeMs: ${minHealthyTimeMs}`,
        `    healthyDeadlineMs: ${healthyDeadlineMs}`,
        '    stopTimeoutMs: 5000',
        ...(drain
          ? [
              `    haproxy: { socket: "${haproxySocket}", backend: ${name}, server: "${haproxyServer}" }`,
            ]
          : []),
      ],
    ),
  ].join('\n');
