// An OpenID Connect provider as others run one: the program oidc-provider, which knows nothing of Rollcall.
// Arguments: the port, and the private keys as JSON, of which the first signs.
import { Provider } from 'oidc-provider';

const [port, keys] = process.argv.slice(2);
const scope = 'scim.read scim.write';

const provider = new Provider(`http://127.0.0.1:${port}`, {
  jwks: { keys: JSON.parse(keys) },
  scopes: scope.split(' '),
  clients: [
    {
      client_id: 'provisioning',
      client_secret: 'secret-of-provisioning',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope,
    },
  ],
  ttl: { ClientCredentials: 3_600 },
  features: {
    clientCredentials: { enabled: true },
    devInteractions: { enabled: false },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: (_context, audience) => ({
        audience,
        scope,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'RS256' } },
      }),
    },
  },
});
provider.listen(Number(port), '127.0.0.1');
