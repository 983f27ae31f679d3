import { Module } from '@nestjs/common';
import { Cursors } from './cursors.js';
import { SearchService } from './search.service.js';

/** What all resource types share. */
@Module({ providers: [Cursors, SearchService], exports: [SearchService] })
export class ResourcesModule {}
