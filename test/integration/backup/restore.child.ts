// Restores the backup argv[3] to the server's directory argv[2]; says so when it is done.
import { restoreBackup } from '../../../src/store/backup/restore-backup.ts';

const [serverDirectory = '', directory = ''] = process.argv.slice(2);
process.stdout.write('begins\n');
await restoreBackup({ serverDirectory, directory, actor: 'ann@srv', now: new Date() });
process.stdout.write('restored\n');
