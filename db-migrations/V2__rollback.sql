-- Going back is a revision of its own: the same content, or the same set, once more.

alter table ordering_revision drop constraint ordering_revision_ordering_id_sha256_key;
create index on ordering_revision (ordering_id, sha256);

alter table activation drop constraint activation_cause_check;
alter table activation add constraint activation_cause_check check (cause in ('API', 'ORDER', 'ROLLBACK'));
alter table activation add column rollback_of bigint references activation;
