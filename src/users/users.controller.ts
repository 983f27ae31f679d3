import { resourceOperations, ServesResource, type ResourceEndpoint } from '../resources/resource.controller.js';
import { defaultBodyLimits } from '../http/request-bodies.js';
import { userResourceType } from '../scim/index.js';
import { UserDto, UserListDto } from './user.dto.js';
import {
  createUserExamples,
  patchUserExamples,
  replaceUserExamples,
  userExample,
  userListExample,
} from './user.examples.js';
import { UsersService } from './users.service.js';

const endpoint: ResourceEndpoint = {
  type: userResourceType,
  bodyLimits: defaultBodyLimits,
  dto: UserDto,
  listDto: UserListDto,
  filterExample: 'userName eq "test.user@okta.local"',
  resourceExample: userExample,
  listExample: userListExample,
  createExamples: createUserExamples,
  replaceExamples: replaceUserExamples,
  patchExamples: patchUserExamples,
  notes: {
    replace: 'What the body leaves out is cleared, but for `active` and `password`.',
    patch: 'All operations are applied, or none. Answers 200 with the user.',
    delete: 'The user leaves every group; users they managed have no manager.',
  },
};

@ServesResource(endpoint)
export class UsersController extends resourceOperations(endpoint) {
  constructor(users: UsersService) {
    super(users);
  }
}
