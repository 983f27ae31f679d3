import { Injectable } from '@nestjs/common';
import { randomBytes } from 'node:crypto';
import { DataSource } from 'typeorm';

const keyBytes = 32;

/** Keys that all processes on one database share. */
@Injectable()
export class SecretKeys {
  private readonly known = new Map<string, Promise<Buffer>>();

  constructor(private readonly dataSource: DataSource) {}

  /** A key of 256 random bits by name; made when it is first asked for, by whichever process comes first. */
  get(name: string): Promise<Buffer> {
    const known = this.known.get(name);
    if (known) return known;
    const loading = this.load(name);
    this.known.set(name, loading);
    // A failure is not remembered.
    loading.catch(() => this.known.delete(name));
    return loading;
  }

  private async load(name: string): Promise<Buffer> {
    await this.dataSource.query(
      'INSERT INTO secret_keys (name, secret, created_at) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING',
      [name, randomBytes(keyBytes), new Date()],
    );
    const rows: { secret: Buffer }[] = await this.dataSource.query('SELECT secret FROM secret_keys WHERE name = $1', [
      name,
    ]);
    const [row] = rows;
    if (!row) throw new Error(`The key ${name} is gone`);
    return Buffer.from(row.secret);
  }
}
