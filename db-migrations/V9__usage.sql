-- What was computed for whom, by the hour; services add to the same rows.

create table usage_ledger (
  id bigint generated always as identity primary key,
  base_model_id bigint not null references base_model,
  hour timestamptz not null check (date_trunc('hour', hour at time zone 'UTC') = hour at time zone 'UTC'),
  tenant text not null,
  adapters text[] not null,
  requests bigint not null check (requests >= 0),
  prompt_tokens bigint not null check (prompt_tokens >= 0),
  completion_tokens bigint not null check (completion_tokens >= 0),
  cached_tokens bigint not null check (cached_tokens >= 0),
  unique (base_model_id, hour, tenant, adapters)
);
comment on column usage_ledger.adapters is 'names by the alphabet; none = the base model';
comment on column usage_ledger.cached_tokens is 'of prompt_tokens those that were not computed again';
