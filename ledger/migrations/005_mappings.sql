-- The mapping that a run works with. It is a file's at the run's beginning, so
-- that all workers apply the same one, to the run's end.
create table mappings (
    hash    text primary key,       -- SHA-256 of the content, hexadecimal
    content text not null           -- JSON
);

alter table runs add column mapping text not null default '';  -- hash; empty: none
