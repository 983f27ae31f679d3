import { createCipheriv, createDecipheriv, hkdfSync, randomBytes } from 'node:crypto';

const algorithm = 'aes-256-gcm';
const keyBytes = 32;
const nonceBytes = 12;
const tagBytes = 16;

/** Seals private keys, so that who reads the database cannot sign (AES-256-GCM, NIST SP 800-38D). */
export class KeyEncryption {
  private readonly key: Buffer;

  /** @param secret 32 characters or more */
  constructor(secret: string) {
    this.key = Buffer.from(hkdfSync('sha256', secret, '', 'rollcall signing keys', keyBytes));
  }

  /** @param name what the text is for; it opens under this name only */
  seal(text: Buffer, name: string): Buffer {
    const nonce = randomBytes(nonceBytes);
    const cipher = createCipheriv(algorithm, this.key, nonce).setAAD(Buffer.from(name));
    const sealed = Buffer.concat([cipher.update(text), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), sealed]);
  }

  /** @returns undefined for what was sealed with another secret or under another name, or was changed since */
  open(sealed: Buffer, name: string): Buffer | undefined {
    const nonce = sealed.subarray(0, nonceBytes);
    const tag = sealed.subarray(nonceBytes, nonceBytes + tagBytes);
    try {
      const decipher = createDecipheriv(algorithm, this.key, nonce, { authTagLength: tagBytes })
        .setAAD(Buffer.from(name))
        .setAuthTag(tag);
      return Buffer.concat([decipher.update(sealed.subarray(nonceBytes + tagBytes)), decipher.final()]);
    } catch {
      return undefined;
    }
  }
}
