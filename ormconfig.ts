import 'reflect-metadata';
import { DataSource } from 'typeorm';
import { readConfig } from './src/config.js';
import { dataSourceOptions } from './src/persistence/data-source.js';

const { databaseUrl } = readConfig();
if (databaseUrl === undefined)
  throw new Error('Set DATABASE_URL: the embedded database is migrated when the server starts.');

/** The PostgreSQL database, for TypeORM's own command line; `rollcall migrate` is what applies migrations. */
export default new DataSource(dataSourceOptions(databaseUrl));
