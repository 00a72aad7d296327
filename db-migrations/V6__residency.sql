-- How long an adapter stays on the device, and when it was last asked for.

alter table adapter add column residency text not null default 'ON_DEMAND'
    check (residency in ('ON_DEMAND', 'PINNED', 'UNLOADED'));
update adapter set residency = 'PINNED' where pinned;
alter table adapter drop column pinned;
-- rises when the files are to be read again
alter table adapter add column generation bigint not null default 0;
-- the desired revision at which it was last asked to be loaded
alter table adapter add column wanted_at bigint not null default 0;
