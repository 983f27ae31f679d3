import { hash, randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';

/** How every secret starts, for people and for programs that search for leaked ones. */
export const secretPrefix = 'rollcall_';

const digits = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const randomLength = 43;
const checksumLength = 6;
const startLength = 6;

/**
 * Makes a secret: `rollcall_`, 256 random bits as 43 digits, and the CRC-32 of these digits as 6 digits more, all of base
 * 62 (0-9, A-Z, a-z). By the checksum a secret scanner tells a secret from a text that only looks like one.
 */
export function newSecret(): string {
  const random = base62(BigInt(`0x${randomBytes(32).toString('hex')}`), randomLength);
  return secretPrefix + random + base62(BigInt(crc32(random)), checksumLength);
}

/** What may be shown of a secret that `newSecret` made: its first random digits, to tell it from others. */
export const startOf = (secret: string): string => secret.slice(secretPrefix.length, secretPrefix.length + startLength);

/** The SHA-256 of a secret, in base64: enough for a secret of high entropy, and cheap enough for every request. */
export const hashOf = (secret: string): string => hash('sha256', secret, 'base64');

function base62(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; rest > 0n; rest /= 62n) text = digits.charAt(Number(rest % 62n)) + text;
  return text.padStart(length, '0');
}
