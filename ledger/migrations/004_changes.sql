-- What was changed in records on their way: hashes, never content. The changes
-- of a batch replace those of the same records' earlier batches.
create table changes (
    migration_id int not null,
    entity       text not null,
    source_id    text collate "C" not null,
    place        int not null,                -- among the changes of the record: those of one value form a chain
    field        text not null,
    part         text not null,
    rule         text not null,
    before       bytea not null,              -- SHA-256 of the value
    after        bytea not null,
    primary key (migration_id, entity, source_id, place)
);
