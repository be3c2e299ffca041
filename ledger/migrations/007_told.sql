-- Numbers of the last state and of the last word that the run's workflow told
-- the ledger: an attempt to tell an earlier one, which was stopped and comes
-- back, must not replace it.
alter table runs
    add column told bigint not null default 0,
    add column said bigint not null default 0;
