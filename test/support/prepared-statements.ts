/** What servers of the tests are told of prepared statements: nothing, but behind the pooler of scripts/pooler.mjs. */
export const preparedStatements: Readonly<Record<string, string>> = process.env['PREPARED_STATEMENTS']
  ? { PREPARED_STATEMENTS: process.env['PREPARED_STATEMENTS'] }
  : {};
