const blockLength = 16_384;

/** The bytes of a body as they come. Small pieces are put together: kept one by one, each takes far more than its bytes. */
export class ReceivedBytes {
  private readonly blocks: Buffer[] = [];
  /** The part of the last block that is still to be filled. */
  private room: Buffer = Buffer.alloc(0);
  private count = 0;

  get length(): number {
    return this.count;
  }

  add(chunk: Buffer): void {
    this.count += chunk.length;
    if (this.blocks.length === 0 || chunk.length >= blockLength) {
      this.seal();
      this.blocks.push(chunk);
      return;
    }
    let rest = chunk;
    while (rest.length > 0) {
      if (this.room.length === 0) this.blocks.push((this.room = Buffer.allocUnsafeSlow(blockLength)));
      const copied = rest.copy(this.room);
      this.room = this.room.subarray(copied);
      rest = rest.subarray(copied);
    }
  }

  /** @returns all of them, in memory of their own; nothing can be added any more */
  whole(): Buffer {
    this.seal();
    const [only] = this.blocks;
    return only && this.blocks.length === 1 ? only : Buffer.concat(this.blocks, this.count);
  }

  /** Ends the last block where it is filled. */
  private seal(): void {
    const last = this.blocks.at(-1);
    if (last && this.room.length > 0) this.blocks.splice(-1, 1, last.subarray(0, last.length - this.room.length));
    this.room = Buffer.alloc(0);
  }
}
