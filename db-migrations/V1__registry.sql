-- What is wanted (orderings, adapters, activations), who wanted it, and what became of it.

create table base_model (
  id bigint generated always as identity primary key,
  model_id text not null unique,
  architecture text not null,
  source text not null,
  digest text not null,
  desired_revision bigint not null
);
comment on column base_model.desired_revision is 'rises with every change of what workers are to keep; this row is also the lock of its writers';

create table ordering_file (
  id bigint generated always as identity primary key,
  base_model_id bigint not null references base_model,
  name text not null,
  unique (base_model_id, name)
);

create table ordering_revision (
  id bigint generated always as identity primary key,
  ordering_id bigint not null references ordering_file,
  revision integer not null check (revision > 0),
  sha256 text not null,
  content jsonb not null,
  comment text not null,
  created_by text not null,
  created_at timestamptz not null,
  unique (ordering_id, revision),
  unique (ordering_id, sha256)
);

create table adapter (
  id bigint generated always as identity primary key,
  base_model_id bigint not null references base_model,
  name text not null,
  kind text not null check (kind in ('LORA', 'XLORA')),
  source text not null,
  digest text not null,
  rank integer not null,
  target_modules text[] not null,
  bytes bigint not null,
  pinned boolean not null,
  state text not null check (state in ('REGISTERED', 'LOADING', 'READY', 'ACTIVE', 'DRAINING', 'FAILED', 'RETIRED')),
  state_reason text not null,
  version integer not null,
  unique (base_model_id, name)
);
comment on column adapter.digest is 'SHA-256 of the content as the worker loaded it; empty before, as are the figures';

create table adapter_transition (
  id bigint generated always as identity primary key,
  adapter_id bigint not null references adapter,
  from_state text not null,
  to_state text not null,
  reason text not null,
  actor text not null,
  at timestamptz not null
);
create index on adapter_transition (adapter_id, id);

create table activation (
  revision bigint generated always as identity primary key,
  base_model_id bigint not null references base_model,
  adapters jsonb not null,
  ordering_revision_id bigint references ordering_revision,
  cause text not null check (cause in ('API', 'ORDER')),
  actor text not null,
  at timestamptz not null
);
create index on activation (base_model_id, revision desc);

create table audit (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  actor text not null,
  action text not null,
  subject text not null,
  before text not null,
  after text not null
);

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is insert-only', tg_table_name using errcode = 'restrict_violation';
end
$$;

create trigger insert_only before update or delete or truncate on ordering_revision
  for each statement execute function refuse_change();
create trigger insert_only before update or delete or truncate on adapter_transition
  for each statement execute function refuse_change();
create trigger insert_only before update or delete or truncate on activation
  for each statement execute function refuse_change();
create trigger insert_only before update or delete or truncate on audit
  for each statement execute function refuse_change();
