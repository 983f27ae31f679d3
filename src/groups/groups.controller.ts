import { resourceOperations, ServesResource, type ResourceEndpoint } from '../resources/resource.controller.js';
import { groupResourceType, limits } from '../scim/index.js';
import { GroupDto, GroupListDto } from './group.dto.js';
import {
  createGroupExamples,
  groupExample,
  groupListExample,
  patchGroupExamples,
  replaceGroupExamples,
} from './group.examples.js';
import { GroupsService } from './groups.service.js';

const endpoint: ResourceEndpoint = {
  type: groupResourceType,
  // A group may come with its complete list of members.
  bodyLimits: {
    bytes: limits.groupBodyBytes,
    keys: limits.groupBodyKeys,
    list: 'members',
    arrayElements: limits.resourceMembers,
  },
  dto: GroupDto,
  listDto: GroupListDto,
  filterExample: 'displayName eq "Test SCIMv2"',
  resourceExample: groupExample,
  listExample: groupListExample,
  createExamples: createGroupExamples,
  replaceExamples: replaceGroupExamples,
  patchExamples: patchGroupExamples,
  notes: {
    read: 'Use `excludedAttributes=members` for a group with very many.',
    replace: 'Members that the body leaves out are removed.',
    patch:
      'All operations are applied, or none. Answers 204 unless `attributes`, `excludedAttributes` or ' +
      '`Prefer: return=representation` asks for the group.',
    delete: 'Its members stay; groups that hold it lose it.',
  },
};

@ServesResource(endpoint)
export class GroupsController extends resourceOperations(endpoint) {
  constructor(groups: GroupsService) {
    super(groups);
  }
}
