-- What workers share about pace beyond an account's rate windows.

-- The address under which workers are seen from outside.
create table egresses (
    egress        text primary key,
    per_second    double precision,              -- null: no cap
    next_slot     timestamptz not null default '-infinity',
    granted       int not null default 0,        -- what the last change granted, for its own answer
    state         text not null default 'open',  -- open, blocked or closed
    since         timestamptz not null default clock_timestamp(),
    account       text not null default '',      -- whose answer blocked it
    evidence      text not null default '',
    failed        int not null default 0,        -- probes, in a row
    probe_at      timestamptz not null default '-infinity',  -- none before
    probe_ends    timestamptz not null default '-infinity',  -- one is under way until then
    by_whom       text not null default '',
    why           text not null default '',
    changed_at    timestamptz not null default clock_timestamp()
) with (fillfactor = 50);

-- Accounts that the edge refuses while it lets others through.
create table edge_blocks (
    egress     text not null,
    account    text not null,
    since      timestamptz not null,
    until      timestamptz not null,
    times      int not null,                     -- in a row
    evidence   text not null,
    changed_at timestamptz not null,
    primary key (egress, account)
);

-- Who holds how much of what is limited over all workers: open jobs of an
-- account, queries at a source.
create table shares (
    what   text not null,                        -- jobs or queries
    name   text not null,                        -- the account's, the source's
    worker text not null,
    held   int not null,
    waits  boolean not null,                     -- it would use more
    seen   timestamptz not null,
    primary key (what, name, worker)
) with (fillfactor = 50);
