import { expect } from '@jest/globals';

/** Splits a command into its words as a POSIX shell does, with the variables given. */
export function words(command: string, variables: Readonly<Record<string, string>>): string[] {
  const parts = command.matchAll(/'([^']*)'|"((?:[^"\\]|\\.)*)"|([^\s'"]+)|(\s+)/g);
  const expand = (text: string): string => text.replace(/\$([A-Z_]+)/g, (_, name: string) => variables[name] ?? '');
  const found: string[] = [''];
  for (const [, single, double, bare, space] of parts) {
    if (space !== undefined) found.push('');
    else found[found.length - 1] += single ?? expand(double ?? bare ?? '');
  }
  return found.filter((word) => word !== '');
}

/** Sends the request that a curl command describes. */
export async function curl(command: string, variables: Readonly<Record<string, string>>): Promise<Response> {
  const [program, ...given] = words(command, variables);
  expect(program).toBe('curl');
  const headers = new Headers();
  let method: string | undefined;
  let body: string | undefined;
  let url = '';
  let query = '';
  while (given.length > 0) {
    const word = given.shift() ?? '';
    if (word === '-X') method = given.shift();
    else if (word === '-d') body = [body, given.shift()].filter((part) => part !== undefined).join('&');
    else if (word === '-u') headers.set('Authorization', `Basic ${btoa(given.shift() ?? '')}`);
    else if (word === '--data-urlencode')
      query = `?${(given.shift() ?? '').replace(/=(.*)/s, (_, value: string) => `=${encodeURIComponent(value)}`)}`;
    else if (word === '-H') headers.append(...((given.shift() ?? '').split(/: (.*)/s, 2) as [string, string]));
    else if (word !== '-s' && word !== '-G') url = word;
  }
  if (body !== undefined && !headers.has('Content-Type'))
    headers.set('Content-Type', 'application/x-www-form-urlencoded');
  return fetch(url + query, {
    method: method ?? (body === undefined ? 'GET' : 'POST'),
    headers,
    ...(body === undefined ? {} : { body }),
  });
}

/** The commands of a program in a page's shell blocks, each with its lines joined. */
export function commandsIn(page: string, program: string): string[] {
  return [...page.matchAll(/```sh\n(.*?)```/gs)].flatMap(([, block = '']) =>
    block
      .split(new RegExp(`\\n(?=${program} )`))
      .filter((command) => command.startsWith(`${program} `))
      .map((command) => command.trim()),
  );
}
