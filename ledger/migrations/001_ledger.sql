-- The ledger's tables. Sizes are in the package documentation; names are
-- qualified inside functions, so that they work in any session.

create table migrations (
    id          int generated always as identity primary key,
    customer    text not null,
    destination text not null,
    account     text not null,
    plan_as_of  timestamptz,                  -- null: no plan yet
    planned     jsonb not null default '{}',  -- rows of the plan, by entity
    current_run int,                          -- the run that the control word is for
    control     text not null default 'run',  -- run, pause or cancel
    control_by  text not null default '',
    control_why text not null default '',
    control_at  timestamptz not null default clock_timestamp(),
    unique (customer, destination, account)
);
create index migrations_control_at on migrations (control_at);

create table runs (
    id           int generated always as identity primary key,
    migration_id int not null references migrations,
    run          text not null,
    begun_at     timestamptz,                 -- null: only decided about partitions, never begun
    ended_at     timestamptz,
    state        text not null default 'waiting',
    by_whom      text not null default '',
    why          text not null default '',
    ticket_limit bigint not null default 0,   -- 0: all
    options      jsonb,
    reason       jsonb,                       -- why the run waits, in the workflow's words; null: it does not
    comparison   jsonb,
    duplicates   bigint not null default 0,
    parked       jsonb,
    unique (migration_id, run)
);

create table partitions (
    id           int generated always as identity primary key,
    migration_id int not null references migrations,
    name         text not null,
    entity       text not null,
    ordinal      int,                         -- place in the plan; null: on demand
    after_id     text not null default '',
    up_to_id     text not null default '',
    planned_rows bigint not null default 0,
    fence        bigint not null default 0,
    ended        boolean not null default false,
    unique (migration_id, name)
) with (fillfactor = 70);

-- The large tables have no foreign keys: each intent holds a lock on its
-- partition's row, which is check enough.

-- The ids of a batch are one text, with the unit separator between them: an
-- array would take 6 to 9 bytes more for each.
create function id_list(ids text) returns text[]
language sql immutable as $$ select string_to_array(ids, chr(31)) $$;

create table intents (
    seq          bigint generated always as identity,
    migration_id int not null,
    partition_id int not null,
    run_id       int not null,
    generation   int not null,
    fence        bigint not null,
    read_at      timestamptz,
    intent_at    timestamptz not null,
    send_by      timestamptz not null,
    level        smallint not null,
    in_order     boolean not null,
    batch_id     text not null,
    source_ids   text not null,               -- see id_list
    primary key (migration_id, batch_id)
);
create index intents_partition on intents (partition_id, seq);

create table settlements (
    seq          bigint generated always as identity,
    settled_at   timestamptz not null,
    migration_id int not null,
    run_id       int not null,
    created      int not null,
    already      int not null,
    skipped      int not null,
    failed       int not null,
    not_sent     int not null,
    again        int not null,                -- as the writer counted: earlier failures that this batch replaced
    batch_id     text not null,
    verdict      text not null,
    outcomes     text not null,               -- a letter for each source id of the intent: c a s f -
    target_ids   text,                        -- one for each source id, see id_list; null: none at all
    primary key (migration_id, batch_id)
);
create index settlements_not_sent on settlements (migration_id) where not_sent > 0;

create table evidence (
    seq           bigint generated always as identity,
    at            timestamptz not null default clock_timestamp(),
    digest        bigint not null,            -- of the content: a repeated write adds nothing
    migration_id  int not null,
    in_settlement boolean not null,           -- the items are those of the batch's settlement
    batch_id      text not null,
    kind          text not null,
    job_id        text,
    note          text,
    source_ids    text[],
    outcomes      text,
    target_ids    text[],
    problems      jsonb                       -- code and text of failed and skipped items, by position from 0
);
create index evidence_batch on evidence (migration_id, batch_id);
create index evidence_job on evidence (job_id) where job_id is not null;

-- Small tables, changed in place.

create table open_batches (
    migration_id int not null,
    batch_id     text not null,
    partition_id int not null,
    entity       text not null,
    records      int not null,
    send_by      timestamptz not null,
    repeats      boolean not null,            -- its records may have been in an earlier batch
    answered     boolean not null default false,  -- there is evidence
    doubtful     boolean not null default false,  -- there is evidence that the answer was lost
    primary key (migration_id, batch_id)
) with (fillfactor = 70, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
create index open_batches_partition on open_batches (partition_id);

create table tallies (
    migration_id int not null,
    partition_id int not null,
    run_id       int not null,                -- the run that took the decisions
    entity       text not null,
    created      bigint not null,
    already      bigint not null,
    skipped      bigint not null,
    failed       bigint not null,
    unsent       bigint not null,             -- read, without a decision so far
    settled_at   timestamptz not null,
    primary key (migration_id, partition_id, run_id)
) with (fillfactor = 50, autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

create table not_delivered (
    migration_id int not null,
    entity       text not null,
    source_id    text collate "C" not null,
    partition_id int not null,
    run_id       int not null,
    at           timestamptz not null,
    outcome      text not null check (outcome in ('f', 's', '-')),
    code         text not null,
    text         text not null,
    batch_id     text not null,
    primary key (migration_id, entity, source_id)
);

create table targets (
    migration_id int not null,
    entity       text not null,
    source_id    text collate "C" not null,
    target_id    text not null,               -- empty: the destination gives none
    agent        boolean not null default false,
    outcome      text check (outcome in ('c', 'a')),  -- null: met in the account, not decided by a batch
    partition_id int,
    run_id       int,
    primary key (migration_id, entity, source_id)
);

create table differences (
    migration_id int not null,
    entity       text not null,
    source_id    text collate "C" not null,
    outcome      text not null,
    run_id       int not null,
    at           timestamptz not null,
    code         text not null,
    text         text not null,
    partition    text not null,
    primary key (migration_id, entity, source_id, outcome)
);

-- prior finds the decision in force for each of ids, or that it was not sent
-- so far. People are found by index; tickets are, when searched, among the
-- batches of their partition, since they have no row of their own. People are
-- looked up one by one, each by the whole key: for "= any" a server that has no
-- statistics of a new table yet reads all of them instead.
create function prior(of_migration int, of_entity text, of_partition int, ids text[], searched boolean)
returns table (source_id text, partition_id int, run_id int, outcome text)
language sql stable as $$
    select f.source_id, f.partition_id, f.run_id, f.outcome
    from unnest(ids) w(id)
    cross join lateral (
        select * from farewell_ledger.not_delivered n
        where n.migration_id = of_migration and n.entity = of_entity and n.source_id = w.id limit 1) f
    union all
    select f.source_id, f.partition_id, f.run_id, f.outcome
    from unnest(ids) w(id)
    cross join lateral (
        select * from farewell_ledger.targets t
        where t.migration_id = of_migration and t.entity = of_entity and t.source_id = w.id limit 1) f
    where f.outcome is not null
    union all
    (select distinct on (u.id) u.id, i.partition_id, s.run_id, substr(s.outcomes, u.n::int, 1)
    from farewell_ledger.intents i
    join farewell_ledger.settlements s on s.migration_id = i.migration_id and s.batch_id = i.batch_id
    cross join lateral unnest(id_list(i.source_ids)) with ordinality u(id, n)
    join unnest(ids) w(id) on w.id = u.id
    where searched and i.partition_id = of_partition and substr(s.outcomes, u.n::int, 1) in ('c', 'a')
      and not exists (
        select from farewell_ledger.not_delivered n
        where n.migration_id = of_migration and n.entity = of_entity and n.source_id = u.id)
    order by u.id, s.seq desc)
$$;

-- The control channel of accounts, and what was granted there.

create table account_pauses (
    account    text primary key,
    until      timestamptz not null,
    why        text not null,
    changed_at timestamptz not null
);
create index account_pauses_changed_at on account_pauses (changed_at);

create table account_budgets (
    account      text not null,
    window_start timestamptz not null,
    used         int not null,
    last_grant   int not null,                -- what the last change granted, for its own answer
    primary key (account, window_start)
) with (fillfactor = 50);

create table workers (
    worker  text primary key,
    egress  text not null,
    queue   text not null,
    started timestamptz not null,
    seen    timestamptz not null
) with (fillfactor = 50);

create table reasons (
    migration_id int not null,
    worker       text not null,
    code         text not null,
    text         text not null,
    since        timestamptz,
    until        timestamptz,
    at           timestamptz not null,
    primary key (migration_id, worker)
) with (fillfactor = 50);
