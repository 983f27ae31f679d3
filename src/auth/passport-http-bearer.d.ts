declare module 'passport-http-bearer' {
  import { Strategy as PassportStrategy } from 'passport';
  export class Strategy extends PassportStrategy {
    constructor(verify: (token: string, done: (error: unknown, user?: unknown) => void) => void);
    constructor(
      options: { realm?: string },
      verify: (token: string, done: (error: unknown, user?: unknown) => void) => void,
    );
  }
}
