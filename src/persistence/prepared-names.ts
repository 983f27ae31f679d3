import { LRUCache } from 'lru-cache';
import pg from 'pg';

/** A connection keeps so many statements prepared, beside the reserved ones. */
export const mostPrepared = 100;
/** Longer statements are not prepared: what is kept of each, in every connection, grows with its text. */
const longestPrepared = 8_192;
const mostSeen = 500;

/** What a connection has beside its public types. */
interface Preparing extends pg.Connection {
  /** The texts that were prepared, by name. */
  readonly parsedStatements: Record<string, string>;
  close(what: { readonly type: 'S'; readonly name: string }): void;
  sync(): void;
}

/** Closes a prepared statement by a message of the protocol, which unlike DEALLOCATE a pooler understands as well. */
class Closing extends pg.Query {
  constructor(private readonly statement: string) {
    super('CLOSE');
  }

  override submit = (connection: pg.Connection): null => {
    const preparing = connection as Preparing;
    Reflect.deleteProperty(preparing.parsedStatements, this.statement);
    preparing.close({ type: 'S', name: this.statement });
    preparing.sync();
    return null;
  };
}

/**
 * Gives statements the names that they are prepared under. Statements whose text the code alone makes have reserved names,
 * which nothing takes from them. Others, whose text depends on what a client asks, get a name when they are used for the
 * second time; there are 100 of them in a connection at most, and one that was not used for the longest time makes room.
 */
export class PreparedNames {
  private readonly reserved = new Map<string, string>();
  private readonly names = new LRUCache<string, string>({ max: mostPrepared });
  private readonly seen = new LRUCache<string, true>({ max: mostSeen });
  private readonly byClient = new WeakMap<pg.PoolClient, LRUCache<string, true>>();
  private made = 0;

  /** @param prefix what the names begin with */
  constructor(private readonly prefix: string) {}

  /** The name of a statement that is one of few: its text is made by the code alone. */
  reservedFor(text: string): string {
    let name = this.reserved.get(text);
    if (name === undefined) this.reserved.set(text, (name = `${this.prefix}_reserved_${this.reserved.size}`));
    return name;
  }

  /** The name of any other statement; undefined where it is not prepared. */
  nameFor(text: string): string | undefined {
    if (text.length > longestPrepared) return undefined;
    const known = this.names.get(text);
    if (known !== undefined) return known;
    if (!this.seen.has(text)) {
      this.seen.set(text, true);
      return undefined;
    }
    this.seen.delete(text);
    // A name is never used for another text, so that connections need not be told what became of it.
    const name = `${this.prefix}_${this.made++}`;
    this.names.set(text, name);
    return name;
  }

  /**
   * Makes room in a connection for a statement that `nameFor` named, before it runs there.
   * @returns when there is room; undefined where there is already. Statements sent in a pipeline need not wait for it
   */
  makeRoom(client: pg.PoolClient, name: string): Promise<unknown> | undefined {
    let prepared = this.byClient.get(client);
    if (!prepared) this.byClient.set(client, (prepared = new LRUCache({ max: mostPrepared })));
    const leaves = prepared.size >= mostPrepared && !prepared.has(name) ? leastUsed(prepared) : undefined;
    prepared.set(name, true);
    return leaves === undefined ? undefined : close(client, leaves);
  }
}

/** Takes the one out that was not used for the longest time. */
function leastUsed(prepared: LRUCache<string, true>): string | undefined {
  const [name] = prepared.rkeys();
  if (name !== undefined) prepared.delete(name);
  return name;
}

/** Closes a statement. A failure is one of the connection, which the next statement meets as well. */
const close = (client: pg.PoolClient, name: string): Promise<void> =>
  new Promise((done) => {
    (client.query as (query: pg.Query, callback: () => void) => void).call(client, new Closing(name), done);
  });
