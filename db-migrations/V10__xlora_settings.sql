-- What is to be otherwise than an X-LoRA's package says, for requests that are silent about it; each change is a revision.

create table xlora_settings (
  id bigint generated always as identity primary key,
  adapter_id bigint not null references adapter,
  revision integer not null check (revision > 0),
  top_k integer check (top_k > 0),
  softmax_temperature double precision check (softmax_temperature > 0),
  global_scaling_weight double precision,
  non_granular_index integer check (non_granular_index > 0),
  actor text not null,
  at timestamptz not null,
  unique (adapter_id, revision)
);
comment on table xlora_settings is 'null = as the package says';

create trigger insert_only before update or delete or truncate on xlora_settings
  for each statement execute function refuse_change();
