import { expect, test } from '@jest/globals';
import { readConfiguration } from '../../src/config/load-config.ts';
import { parseYaml } from '../../src/config/parse-yaml.ts';

const read = (text: string) => {
  const parsed = parseYaml(text, 'config.yaml');
  if (!parsed.ok) throw new Error('no YAML');
  const result = readConfiguration(parsed.value);
  if (!result.ok) throw new Error(result.problems.map(({ message }) => message).join());
  return result;
};

test('an opt-out whose date has passed is noted, and keeps nothing from starting', () => {
  const { notes } = read(
    'optOut:\n  - {host: h1, reason: sale, until: 2027-01-31}\n  - {host: h2, reason: ever}\n',
  );
  expect(notes(Date.parse('2027-01-30'))).toEqual([]);
  expect(notes(Date.parse('2027-01-31'))).toMatchObject([
    { line: 2, option: 'optOut[0].until', message: expect.stringMatching(/^2027-01-31 is over/) },
  ]);
});

test('a latest start says nothing where nothing waits for a maintenance window, which is noted', () => {
  const platforms =
    'platforms:\n  debian-12:\n    policy:\n      - {mode: auto}\n      - {mode: auto, latestHours: 72}\n';
  expect(read(platforms).notes(0)).toMatchObject([
    {
      ...{ line: 5, option: 'platforms.debian-12.policy[1].latestHours' },
      message: expect.stringMatching(/without a maintenanceWindow/),
    },
  ]);
  expect(read(`${platforms}maintenanceWindow: {from: "02:00", to: "04:00"}\n`).notes(0)).toEqual(
    [],
  );
});

test('opt-outs of all services, of a part of them and of unclaimed containers are right', () => {
  const services = 'services: [{name: web, match: [{group: web}]}]\n';
  for (const service of ['web', 'w*', '*', 'h1/unassigned', '*/unassigned'])
    expect(
      read(`${services}optOut: [{service: "${service}", reason: sale}]\n`).config.optOut,
    ).toHaveLength(1);
});

test('sockets of HAProxy by path and by address are right', () => {
  for (const socket of ['/run/haproxy.sock', '10.0.0.4:9999', 'lb.example:9999', '[fd00::1]:9999'])
    read(`services: [{name: a, match: [{group: a}], haproxy: {socket: "${socket}", backend: a}}]`);
});
