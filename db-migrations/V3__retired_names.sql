-- A retired adapter keeps its row, for the record, but not its name.

alter table adapter drop constraint adapter_base_model_id_name_key;
create unique index adapter_name on adapter (base_model_id, name) where state <> 'RETIRED';
