-- Names for mixtures and for sets of adapters that share requests; each change of a name is a revision of it.

create table adapter_alias (
  id bigint generated always as identity primary key,
  base_model_id bigint not null references base_model,
  name text not null,
  revision integer not null check (revision > 0),
  targets jsonb not null,
  cause text not null check (cause in ('API', 'ROLLBACK', 'DELETE')),
  rollback_of integer,
  actor text not null,
  at timestamptz not null,
  unique (base_model_id, name, revision)
);
comment on column adapter_alias.targets is '[{adapters: [{name, weight}], share}]; none where cause is DELETE';

create trigger insert_only before update or delete or truncate on adapter_alias
  for each statement execute function refuse_change();
