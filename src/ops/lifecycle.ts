import { Injectable } from '@nestjs/common';

/** Where the process is in its life. */
@Injectable()
export class Lifecycle {
  private stopping = false;

  /** Whether a shutdown has begun: no new requests should be sent here. */
  get isStopping(): boolean {
    return this.stopping;
  }

  /** Begins the shutdown. */
  stop(): void {
    this.stopping = true;
  }
}
