import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { Config } from '../config.js';
import { connectionsFor } from './connections.js';
import { isServer } from './data-source.js';
import { Turns, type TurnRules } from './turns.js';

const second = 1_000;
/** As long as a pool lets anybody wait for a connection. */
const connectionWait = 5 * second;
/** In milliseconds: where a tenant's turns take less, more of them at once are no burden to others. */
const quick = 25;
/** How long a tenant's searches wait for each other. */
const searchPatience = 2 * second;
/** On the one connection of the embedded database everybody may have to wait for a statement that takes long. */
const embeddedWait = 20 * second;
/**
 * One tenant's look-ups that are under way, of all. They are answered one after the other, so those of a tenant whose rows
 * are large go one by one.
 */
const lookUpsUnderWay = { total: 128, share: 16, slow: { mean: 5, share: 1 } };

/** How tenants share the connections to the database. */
@Injectable()
export class Shares {
  /** Writes, and reads of what may be large. */
  readonly requests: Turns;
  readonly searches: Turns;
  readonly lookUps: Turns;

  constructor(dataSource: DataSource, config: Config) {
    const rules = isServer(dataSource) ? ofServer(config) : ofEmbedded();
    this.requests = new Turns(rules.requests);
    // One connection is shared by everything.
    this.searches = rules.searches === rules.requests ? this.requests : new Turns(rules.searches);
    this.lookUps = new Turns({
      name: 'reads',
      ...lookUpsUnderWay,
      patience: connectionWait,
      longestWait: connectionWait,
    });
  }
}

interface Rules {
  readonly requests: TurnRules;
  readonly searches: TurnRules;
}

/** A tenant never has the last connection, and only half of them where its statements take long. One is left to the administration. */
function ofServer({ databaseConnections, searchSeconds }: Config): Rules {
  const { requests, searches } = connectionsFor(databaseConnections);
  const total = Math.max(1, requests - 1);
  return {
    requests: {
      name: 'requests',
      total,
      share: Math.max(1, total - 1),
      slow: { mean: quick, share: Math.max(1, Math.min(total - 1, Math.ceil(requests / 2))) },
      patience: connectionWait,
      longestWait: connectionWait,
    },
    searches: {
      name: 'searches',
      total: searches,
      share: Math.max(1, searches - 1),
      slow: { mean: quick, share: Math.max(1, Math.ceil(searches / 3)) },
      patience: searchPatience,
      // Whoever is next has a turn when the slowest search ends.
      longestWait: connectionWait + searchSeconds * second,
    },
  };
}

function ofEmbedded(): Rules {
  const requests = { name: 'requests', total: 1, share: 1, patience: embeddedWait, longestWait: embeddedWait };
  return { requests, searches: requests };
}
