import type { Kysely, Migration } from 'kysely';

interface Before {
  advisories: { feed: string; id: string; withdrawn: number; doc: string };
  advisory_names: { distro: string; name: string; feed: string; id: string };
}

interface Row {
  distro: string;
  name: string;
  status: string;
}

const [perPage, perInsert] = [200, 200];

/** Advisories are found by the names of packages, in place of their distributions alone. */
export const advisoryNamesMigration: Migration = {
  up: async (db: Kysely<Before>): Promise<void> => {
    await db.schema
      .createTable('advisory_names')
      .addColumn('distro', 'text', (column) => column.notNull())
      .addColumn('name', 'text', (column) => column.notNull())
      .addColumn('feed', 'text', (column) => column.notNull())
      .addColumn('id', 'text', (column) => column.notNull())
      .addPrimaryKeyConstraint('advisory_names_key', ['distro', 'name', 'feed', 'id'])
      .execute();
    await db.schema
      .createIndex('advisory_names_advisory')
      .on('advisory_names')
      .columns(['feed', 'id'])
      .execute();
    await db.schema.alterTable('advisories').dropColumn('distros').execute();
    for (let after = { feed: '', id: '' }; ;) {
      const { feed, id } = after;
      const page = await db
        .selectFrom('advisories')
        .select(['feed', 'id', 'withdrawn', 'doc'])
        .where((is) => is.or([is('feed', '>', feed), is.and({ feed }).and('id', '>', id)]))
        .orderBy('feed')
        .orderBy('id')
        .limit(perPage)
        .execute();
      const last = page.at(-1);
      if (last === undefined) return;
      after = last;
      const names = new Map<string, Before['advisory_names']>();
      for (const { feed, id, withdrawn, doc } of page)
        for (const { distro, name, status } of withdrawn === 1
          ? []
          : (JSON.parse(doc) as { affected: Row[] }).affected)
          if (status !== 'not-affected')
            names.set([distro, name, feed, id].join('\n'), { distro, name, feed, id });
      const all = [...names.values()];
      for (let from = 0; from < all.length; from += perInsert)
        await db
          .insertInto('advisory_names')
          .values(all.slice(from, from + perInsert))
          .execute();
    }
  },
};
