// Opens the store at argv[2] and writes argv[4] outbox rows named argv[3], each in a transaction that reads first.
import { openStore } from '../../src/store/open-store.ts';
import { insertOutbox, openOutbox } from '../../src/store/outbox.ts';

const [path = '', name = '', times = '0'] = process.argv.slice(2);
const store = await openStore(path);
for (let turn = 0; turn < Number(times); turn += 1)
  await store.db.transaction().execute(async (transaction) => {
    await openOutbox(transaction);
    const jobId = `h1_${name}${turn}`;
    await insertOutbox(transaction, [
      { jobId, hostId: 'h1', kind: 'observe-host', envelope: '{}', createdAt: 1, expiresAt: 2 },
    ]);
  });
await store.close();
