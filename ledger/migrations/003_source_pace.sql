-- How much of a source all workers together may use.

create table sources (
    source      text primary key,
    governed    boolean not null default true,
    max_rows    double precision,                -- rows a second, an operator's word; null: no bound
    rows        double precision not null default 0,  -- rows a second, the governor's word; 0: not looked yet
    queries     double precision not null default 0,  -- at a time, likewise
    next_rows   timestamptz not null default '-infinity',
    canary      double precision not null default 0,  -- seconds
    base        double precision not null default 0,
    active      int not null default 0,
    usual       double precision not null default 0,
    pressed     boolean not null default false,
    less        bigint not null default 0,
    seen_at     timestamptz,
    leader      text not null default '',        -- the worker that looks
    leads_until timestamptz not null default '-infinity',
    by_whom     text not null default '',
    why         text not null default ''
) with (fillfactor = 50);
