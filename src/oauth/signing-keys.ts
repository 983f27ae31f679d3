import { Injectable, Logger, type OnModuleInit } from '@nestjs/common';
import { calculateJwkThumbprint, exportJWK, generateKeyPair, importJWK, type CryptoKey, type JWK } from 'jose';
import { LessThan, MoreThanOrEqual, type Repository } from 'typeorm';
import { Config } from '../config.js';
import { ReservedConnections } from '../persistence/reserved-connections.js';
import { KeyEncryption } from './key-encryption.js';
import { SigningKeyEntity } from './signing-key.entity.js';

/** The algorithm of our own signatures (RFC 7518 section 3.4). */
export const signingAlgorithm = 'ES256';

const minute = 60_000;
const day = 24 * 60 * minute;
/** How long a key signs, how long before that it is published, and how long after it its last tokens can live. */
const signsFor = 30 * day;
const publishedBefore = day;
const verifiesAfter = 70 * minute;
// Much less than a key is published before it signs, so no process meets a token of a key that it has not read.
const readEvery = minute;
// The first key signs from a little before it was made, or a process whose clock is behind would see none and make another.
const clockSkew = minute / 2;
const attempts = 3;

/** A key as it is used. */
interface Key {
  readonly kid: string;
  readonly publicJwk: JWK;
  readonly publicKey: CryptoKey;
  /** Absent when it was sealed with another secret than this process has: then others sign with it. */
  readonly privateKey?: CryptoKey;
  readonly signsFrom: number;
  readonly signsUntil: number;
}

/**
 * The keys that access tokens are signed with, shared by all processes through the database. Each signs for 30 days; the
 * next one is published a day before; an old one stays until its tokens have expired.
 */
@Injectable()
export class SigningKeys implements OnModuleInit {
  private readonly logger = new Logger(SigningKeys.name);
  private readonly encryption: KeyEncryption | undefined;
  private keys: readonly Key[] = [];
  private readAt = -Infinity;
  private reading: Promise<void> | undefined;

  private readonly rows: Repository<SigningKeyEntity>;

  constructor(connections: ReservedConnections, { keyEncryptionSecret }: Config) {
    this.rows = connections.repository(SigningKeyEntity);
    this.encryption = keyEncryptionSecret === undefined ? undefined : new KeyEncryption(keyEncryptionSecret);
  }

  /** Makes the first key before the first request, so that processes which start together know the same. */
  async onModuleInit(): Promise<void> {
    await this.fresh();
  }

  /** The key that signs now. */
  async current(): Promise<{ readonly kid: string; readonly privateKey: CryptoKey }> {
    await this.fresh();
    const key = signing(this.keys, Date.now());
    if (!key) throw new Error('There is no key to sign with');
    return key;
  }

  /** The public key of a name; undefined when there is none. */
  async publicKey(kid: string): Promise<CryptoKey | undefined> {
    await this.fresh();
    return this.keys.find((key) => key.kid === kid)?.publicKey;
  }

  /** The public keys, those that will sign among them (RFC 7517 section 5). */
  async published(): Promise<JWK[]> {
    await this.fresh();
    return this.keys.map(({ publicJwk }) => publicJwk);
  }

  private fresh(): Promise<void> {
    const now = Date.now();
    if (now < this.readAt + readEvery && signing(this.keys, now)) return Promise.resolve();
    this.reading ??= this.read(now).finally(() => (this.reading = undefined));
    return this.reading;
  }

  private async read(now: number): Promise<void> {
    let { keys, next } = await this.stored(now);
    // Another process may make the next generation at the same time, and only it may be able to sign with it.
    for (let attempt = 0; attempt < attempts && !isSettled(keys, now); attempt++) {
      const last = Math.max(...keys.filter(({ privateKey }) => privateKey).map(({ signsUntil }) => signsUntil));
      await this.add(next, signing(keys, now) ? last : now - clockSkew);
      await this.rows.delete({ verifiesUntil: LessThan(new Date(now)) });
      ({ keys, next } = await this.stored(now));
    }
    this.keys = keys;
    this.readAt = now;
  }

  /**
   * The keys that verify at a time, and the generation that would come next. That is asked first: a key that another
   * process makes in between is then among the keys, or takes the place of the next.
   */
  private async stored(now: number): Promise<{ readonly keys: Key[]; readonly next: number }> {
    const next = ((await this.rows.maximum('generation')) ?? 0) + 1;
    const where = { verifiesUntil: MoreThanOrEqual(new Date(now)) };
    return { keys: await this.usable(await this.rows.find({ where, order: { generation: 'ASC' } })), next };
  }

  /** Makes a key, unless another process just made the one of this generation. */
  private async add(generation: number, signsFrom: number): Promise<void> {
    const pair = await generateKeyPair(signingAlgorithm, { extractable: true });
    const jwk = await exportJWK(pair.publicKey);
    const kid = await calculateJwkThumbprint(jwk);
    const secret = Buffer.from(JSON.stringify(await exportJWK(pair.privateKey)));
    const row: SigningKeyEntity = {
      generation,
      kid,
      publicJwk: { ...jwk, kid, alg: signingAlgorithm, use: 'sig' },
      privateKey: this.encryption?.seal(secret, kid) ?? secret,
      isEncrypted: this.encryption !== undefined,
      signsFrom: new Date(signsFrom),
      signsUntil: new Date(signsFrom + signsFor),
      verifiesUntil: new Date(signsFrom + signsFor + verifiesAfter),
    };
    await this.rows.createQueryBuilder().insert().values(row).orIgnore().execute();
  }

  private async usable(rows: readonly SigningKeyEntity[]): Promise<Key[]> {
    return Promise.all(
      rows.map(async (row) => {
        const known = this.keys.find(({ kid }) => kid === row.kid);
        if (known && row.isEncrypted === (this.encryption !== undefined)) return known;
        const secret = await this.privateJwk(row);
        return {
          kid: row.kid,
          publicJwk: row.publicJwk,
          publicKey: (await importJWK(row.publicJwk, signingAlgorithm)) as CryptoKey,
          ...(secret ? { privateKey: (await importJWK(secret, signingAlgorithm)) as CryptoKey } : {}),
          signsFrom: row.signsFrom.getTime(),
          signsUntil: row.signsUntil.getTime(),
        };
      }),
    );
  }

  /** The private key of a row. One that is in clear although there is a secret is sealed. */
  private async privateJwk({ kid, generation, isEncrypted, privateKey }: SigningKeyEntity): Promise<JWK | undefined> {
    const stored = Buffer.from(privateKey);
    const text = isEncrypted ? this.encryption?.open(stored, kid) : stored;
    if (!text) {
      this.logger.warn(`KEY_ENCRYPTION_SECRET does not open the signing key ${kid}; another key signs in its place`);
      return undefined;
    }
    if (!isEncrypted && this.encryption) {
      const sealed = { privateKey: this.encryption.seal(text, kid), isEncrypted: true };
      await this.rows.update({ generation, isEncrypted: false }, sealed);
    }
    return JSON.parse(text.toString('utf8')) as JWK;
  }
}

/** Whether there is a key to sign with now, and one to sign with in a day. */
const isSettled = (keys: readonly Key[], now: number): boolean =>
  signing(keys, now) !== undefined &&
  keys.some(({ privateKey, signsUntil }) => privateKey !== undefined && signsUntil - now >= publishedBefore);

/** The key that signs at a time: the newest of those that may. */
function signing(keys: readonly Key[], now: number): (Key & { readonly privateKey: CryptoKey }) | undefined {
  return keys.findLast(
    (key): key is Key & { readonly privateKey: CryptoKey } =>
      key.privateKey !== undefined && key.signsFrom <= now && now < key.signsUntil,
  );
}
