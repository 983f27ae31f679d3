import { Module } from '@nestjs/common';
import { LimitsModule } from '../limits/limits.module.js';
import { ResourcesModule } from '../resources/resources.module.js';
import { TypeOrmModule } from '@nestjs/typeorm';
import { GroupsModule } from '../groups/groups.module.js';
import { PasswordHashing } from './password-hashing.js';
import { UserEntity } from './user.entity.js';
import { UsersController } from './users.controller.js';
import { UsersRepository } from './users.repository.js';
import { UsersService } from './users.service.js';

@Module({
  imports: [ResourcesModule, TypeOrmModule.forFeature([UserEntity]), GroupsModule, LimitsModule],
  controllers: [UsersController],
  providers: [PasswordHashing, UsersService, UsersRepository],
  exports: [UsersService],
})
export class UsersModule {}
