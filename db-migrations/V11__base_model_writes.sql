-- Counts the writers that have locked the row, so that one number says whether anything of the model was written.
alter table base_model add column writes bigint not null default 0;
