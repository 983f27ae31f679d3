/** A command that was given what cannot be meant. */
export class UsageError extends Error {}

/** A command that did its work and found that something is wrong. It has said what. */
export class Failed extends Error {}

/** A server that was asked refuses. Its message is the server's reason. */
export class ServerRefused extends Error {
  /** @param isBadInput whether what was given is at fault, and not how things are */
  constructor(
    message: string,
    readonly isBadInput: boolean,
  ) {
    super(message);
  }
}

/** A server that was to be asked does not answer. */
export class ServerUnreachable extends Error {
  constructor(server: string, error: unknown) {
    const { cause } = error as { cause?: unknown };
    // Of a name with two addresses both fail.
    const first: unknown = cause instanceof AggregateError ? cause.errors[0] : (cause ?? error);
    super(`${server} does not answer: ${first instanceof Error ? first.message : String(first)}`);
  }
}

/** There is a server that could carry a command out, and no token to ask it with. */
export class TokenMissing extends Error {}
