import { Module } from '@nestjs/common';
import { ResourcesModule } from '../resources/resources.module.js';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GroupEntity } from './group.entity.js';
import { GroupsController } from './groups.controller.js';
import { GroupsRepository } from './groups.repository.js';
import { LargeGroups } from './large-groups.js';
import { GroupsService } from './groups.service.js';
import { MembershipEntity } from './membership.entity.js';
import { MembershipsRepository } from './memberships.repository.js';

@Module({
  imports: [ResourcesModule, TypeOrmModule.forFeature([GroupEntity, MembershipEntity])],
  controllers: [GroupsController],
  providers: [GroupsService, GroupsRepository, MembershipsRepository, LargeGroups],
  exports: [GroupsService, MembershipsRepository],
})
export class GroupsModule {}
