import { Module } from '@nestjs/common';
import { GroupsModule } from '../groups/groups.module.js';
import { LimitsModule } from '../limits/limits.module.js';
import { ResourcesModule } from '../resources/resources.module.js';
import { UsersModule } from '../users/users.module.js';
import { BulkController } from './bulk.controller.js';
import { BulkService } from './bulk.service.js';

@Module({
  imports: [ResourcesModule, UsersModule, GroupsModule, LimitsModule],
  controllers: [BulkController],
  providers: [BulkService],
})
export class BulkModule {}
