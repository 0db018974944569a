import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { exportPrivateKey, importPrivateKey, newSigningKey } from './signing-key.ts';
import type { SigningKey } from './signing-key.ts';
import { hasCode } from '../core/error-code.ts';

const KeyFile = z.strictObject({
  version: z.literal(1),
  /** The machine that these keys were made on (machine-id(5)); null: not bound to one. */
  machineId: z.string().nullable(),
  /** Id of the key that signs. */
  active: z.string(),
  /** One key, or two while they are being rotated (R1). */
  keys: z
    .array(z.strictObject({ id: z.string(), privateKey: z.string() }))
    .min(1)
    .max(2),
});
type KeyFile = z.infer<typeof KeyFile>;

/** The private keys of one party. */
export interface OwnKeys {
  active: SigningKey;
  /** The other one while keys are rotated: others may still know only it. */
  other: SigningKey | null;
}

/** Bytes and directory entry are on disk before anybody relies on the name. */
const syncDirectory = async (path: string): Promise<void> => {
  const directory = await open(dirname(path), 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
};

const writeBeside = async (path: string, content: KeyFile): Promise<string> => {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  return beside;
};

const readKeyFile = async (path: string): Promise<KeyFile | null> => {
  let text;
  try {
    const file = await open(path, 'r');
    try {
      const { mode } = await file.stat();
      if ((mode & 0o077) !== 0)
        throw new Error(
          `${path} can be read by others (mode ${(mode & 0o777).toString(8)}): chmod 600 it, and rotate the key if others may have read it`,
        );
      text = await file.readFile('utf8');
    } finally {
      await file.close();
    }
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return null;
    throw error;
  }
  try {
    return KeyFile.parse(JSON.parse(text));
  } catch (error) {
    throw new Error(
      `${path} is no key file: put it back from a backup, or remove it and enrol anew`,
      {
        cause: error,
      },
    );
  }
};

const ownKeys = ({ active, keys }: KeyFile, path: string): OwnKeys => {
  const all = keys.map(({ privateKey }) => importPrivateKey(privateKey));
  const signing = all.find(({ id }) => id === active);
  if (signing === undefined)
    throw new Error(`${path}: the active key ${active} is not in the file`);
  return { active: signing, other: all.find(({ id }) => id !== active) ?? null };
};

const entry = (key: SigningKey): KeyFile['keys'][number] => ({
  id: key.id,
  privateKey: exportPrivateKey(key),
});

/**
 * The keys in the file at `path`, made on first start: mode 0600, whole or not at all, and of several
 * processes that start at once one makes them for all. With a `machineId`, keys of another machine are
 * refused: a cloned disk must be enrolled as a host of its own.
 */
export const loadOrMakeKeys = async (
  path: string,
  machineId: string | null,
): Promise<OwnKeys & { made: boolean }> => {
  for (;;) {
    const found = await readKeyFile(path);
    if (found !== null) {
      if (found.machineId !== machineId)
        throw new Error(
          `${path} was made on machine ${found.machineId ?? '(any)'}, this is ${machineId ?? '(any)'}: remove the file and enrol this host anew`,
        );
      return { ...ownKeys(found, path), made: false };
    }
    const key = newSigningKey();
    const content: KeyFile = { version: 1, machineId, active: key.id, keys: [entry(key)] };
    const beside = await writeBeside(path, content);
    try {
      // link(2) refuses an existing name, where rename(2) would replace another process's key.
      await link(beside, path);
      await syncDirectory(path);
      return { active: key, other: null, made: true };
    } catch (error) {
      if (!hasCode(error, 'EEXIST')) throw error;
    } finally {
      await rm(beside, { force: true });
    }
  }
};

const change = async (path: string, edit: (found: KeyFile) => KeyFile): Promise<OwnKeys> => {
  const found = await readKeyFile(path);
  if (found === null) throw new Error(`${path} is not there: start the agent or server once`);
  const content = edit(found);
  const beside = await writeBeside(path, content);
  await rename(beside, path);
  await syncDirectory(path);
  return ownKeys(content, path);
};

/**
 * First half of a rotation: a new key beside the active one, which goes on signing until the other side
 * knows the new one. A second key that was there is dropped.
 */
export const addKey = (path: string): Promise<OwnKeys> =>
  change(path, (found) => ({
    ...found,
    keys: [...found.keys.filter(({ id }) => id === found.active), entry(newSigningKey())],
  }));

/** Second half: the other key signs from now on; the one before stays until the next rotation. */
export const switchKey = (path: string): Promise<OwnKeys> =>
  change(path, (found) => {
    const other = found.keys.find(({ id }) => id !== found.active);
    if (other === undefined) throw new Error(`${path} holds one key only: add the new one first`);
    return { ...found, active: other.id };
  });

const TrustFile = z.strictObject({
  version: z.literal(1),
  /** Public keys (DER, SPKI, base64) of the other party. */
  keys: z.array(z.string()).min(1).max(2),
});

/**
 * Public keys that this side believes, from the file at `path`. Throws with what to do where the file is
 * missing or is none.
 */
export const readTrustedKeys = async (path: string): Promise<string[]> => {
  try {
    return TrustFile.parse(JSON.parse(await readFile(path, 'utf8'))).keys;
  } catch (error) {
    throw new Error(
      `${path} holds no public keys of the server: groundswell agent --trust with what \`groundswell server --show-key\` prints there`,
      { cause: error },
    );
  }
};

/** Replace the public keys that this side believes: one, or two while the other party rotates (R1). */
export const writeTrustedKeys = async (path: string, keys: string[]): Promise<void> => {
  const content = TrustFile.parse({ version: 1, keys });
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const beside = `${path}.${randomUUID()}`;
  const file = await open(beside, 'wx', 0o644);
  try {
    await file.writeFile(`${JSON.stringify(content, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await rename(beside, path);
  await syncDirectory(path);
};
