import { jest } from '@jest/globals';
import { UsersService } from '../../src/users/users.service.js';
import type { TestServer } from './server.js';
import { until } from './until.js';

/** Keeps reads of users by id from ending, until they are released. `jest.restoreAllMocks()` lets later ones through. */
export function holdReads({ app }: TestServer) {
  let release = (): void => undefined;
  const held = new Promise<void>((resolve) => (release = resolve));
  const users = app.get(UsersService);
  const read = users.read.bind(users);
  const spy = jest.spyOn(users, 'read').mockImplementation(async (...given) => {
    await held;
    return read(...given);
  });
  return {
    release: () => release(),
    /** Waits until so many were held in all. */
    reached: (count: number) => until(() => Promise.resolve(spy.mock.calls.length >= count)),
  };
}
