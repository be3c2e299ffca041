-- The writes that each batch takes, as functions: what a batch does not
-- need is not even begun, and the server plans each part once for a session.
-- Ids and targets come as they are kept, see id_list.

-- met_elsewhere tells whether records of an entity may be in a batch that is not
-- one of their range in the plan: of people on demand, of a ticket's attachments,
-- of what a reconciliation found.
create function met_elsewhere(of_migration int, of_entity text) returns boolean
language plpgsql stable as $$
begin
    return exists (select from farewell_ledger.partitions p where p.migration_id = of_migration and p.entity = of_entity and p.ordinal is null);
end
$$;

-- intend writes down that a batch is about to be sent, if the fence is in force:
-- held. written is until when it may go out, null when the intent was there
-- before; known is then its time, under the fence it was written with, and
-- settled tells whether it has been decided about.
--
-- The lock on the partition's row makes a takeover wait for this call, or this
-- call for the takeover, after which the fence no longer matches.
create function intend(
    of_customer text, of_destination text, of_account text, of_partition text, of_fence bigint, of_run text, of_batch text,
    of_generation int, of_read_at timestamptz, send_within bigint, of_level smallint, of_in_order boolean,
    ids text, of_records int, first_time boolean, of_files jsonb,
    out held boolean, out written timestamptz, out known timestamptz, out known_fence bigint, out settled boolean)
language plpgsql as $$
declare
    of_migration  int;
    partition_key int;
    run_key       int;
    of_entity     text;
    repeats       boolean := not first_time;
begin
    select m.id, r.id, p.id, p.entity into of_migration, run_key, partition_key, of_entity
    from farewell_ledger.migrations m
    join farewell_ledger.runs r on r.migration_id = m.id and r.run = of_run
    join farewell_ledger.partitions p on p.migration_id = m.id and p.name = of_partition and p.fence = of_fence
    where m.customer = of_customer and m.destination = of_destination and m.account = of_account
    for share of p;
    held := found;

    if held then
        insert into farewell_ledger.intents (migration_id, partition_id, run_id, generation, fence, read_at, intent_at, send_by, level, in_order, batch_id, source_ids, files)
        values (of_migration, partition_key, run_key, of_generation, of_fence, of_read_at, clock_timestamp(), clock_timestamp() + send_within * interval '1 microsecond',
            of_level, of_in_order, of_batch, ids, of_files)
        on conflict (migration_id, batch_id) do nothing
        returning send_by into written;
    end if;

    if written is null then
        select i.send_by, i.fence, exists (
                select from farewell_ledger.settlements s where s.migration_id = i.migration_id and s.batch_id = i.batch_id)
        into known, known_fence, settled
        from farewell_ledger.migrations m
        join farewell_ledger.intents i on i.migration_id = m.id and i.batch_id = of_batch
        where m.customer = of_customer and m.destination = of_destination and m.account = of_account;
        return;
    end if;

    if of_entity <> 'tickets' and not repeats and farewell_ledger.met_elsewhere(of_migration, of_entity) then
        repeats := exists (select from farewell_ledger.prior(of_migration, of_entity, partition_key, string_to_array(ids, chr(31)), false));
    end if;
    insert into farewell_ledger.open_batches (migration_id, batch_id, partition_id, entity, records, send_by, repeats)
    values (of_migration, of_batch, partition_key, of_entity, of_records, written, repeats);
end
$$;

-- A piece of evidence is there once.
delete from evidence e
using evidence f
where f.migration_id = e.migration_id and f.batch_id = e.batch_id and f.kind = e.kind and f.digest = e.digest and f.seq < e.seq;
drop index evidence_batch;
create unique index evidence_batch on evidence (migration_id, batch_id, kind, digest);

-- Whoever adds to a sum has others wait until the commit is on the disk: each
-- sum has a few rows, and a connection adds to its own.
alter table tallies add column share smallint not null default 0;
alter table tallies drop constraint tallies_pkey, add primary key (migration_id, partition_id, run_id, share);

-- record appends what became known about a batch, unless just that is there
-- already, and notes for one that has not ended that there was an answer or that
-- it was lost. False: there is no such migration.
create function record(
    of_migration int, of_batch text, ended boolean, of_kind text, of_digest bigint, of_job text, of_note text,
    ids text[], of_outcomes text, of_targets text[], of_problems jsonb, of_settlement boolean)
returns boolean
language plpgsql as $$
begin
    if of_migration is null then
        return false;
    end if;
    if of_settlement then -- what the settlement holds is not stored twice
        insert into farewell_ledger.evidence (digest, migration_id, in_settlement, batch_id, kind, job_id, note, problems)
        values (of_digest, of_migration, true, of_batch, of_kind, nullif(of_job, ''), nullif(of_note, ''), of_problems)
        on conflict (migration_id, batch_id, kind, digest) do nothing;
    else
        insert into farewell_ledger.evidence (digest, migration_id, in_settlement, batch_id, kind, job_id, note, source_ids, outcomes, target_ids, problems)
        values (of_digest, of_migration, false, of_batch, of_kind, nullif(of_job, ''), nullif(of_note, ''), ids, nullif(of_outcomes, ''), of_targets, of_problems)
        on conflict (migration_id, batch_id, kind, digest) do nothing;
    end if;
    if not ended then
        update farewell_ledger.open_batches o set answered = true, doubtful = o.doubtful or of_kind = 'unanswered'
        where o.migration_id = of_migration and o.batch_id = of_batch;
    end if;
    return true;
end
$$;

-- settle decides a batch, in words: under the partition's lock, write the
-- settlement if the intent is there and there is none yet; close the batch;
-- find the decisions that were in force for its records before; move the
-- tallies from those to the new ones; and let not_delivered and targets say the
-- new ones. A record that this batch did not send keeps the decision that it
-- had. Evidence is appended whatever became of all that; items that the
-- settlement holds too (evidence_in_settlement) are not stored twice, and have
-- no columns of their own when they are all of the settlement's.
--
-- held: the fence is in force. intended: the partition has the batch's intent,
-- and same: with these records. settled: by this call; else before tells whether
-- it was settled already, and identical whether just so.
--
-- Only of people may another partition have decided since the intent, which has
-- noted for all others whether there was a decision before. The plan's ranges
-- never share a person, so their settlements only keep out those of people on
-- demand, who may be in a range too. Each statement sees what was committed
-- before it began, also while the lock was waited for.
create function settle(
    of_customer text, of_destination text, of_account text, of_partition text, of_fence bigint, of_run text, of_batch text,
    ids text, of_outcomes text, of_targets text, of_verdict text,
    n_created int, n_already int, n_skipped int, n_failed int, n_unsent int, n_again int,
    unsent text[], notable_ids text[], notable_outcomes text[], notable_codes text[], notable_texts text[],
    evidence_kind text, evidence_digest bigint, evidence_job text, evidence_note text,
    evidence_ids text[], evidence_outcomes text, evidence_targets text[], evidence_problems jsonb, evidence_in_settlement boolean,
    of_people boolean, agents text[],
    out held boolean, out intended boolean, out same boolean, out settled boolean, out before boolean, out identical boolean)
language plpgsql as $$
declare
    of_migration  int;
    partition_key int;
    of_entity     text;
    on_demand     boolean;
    run_key       int;
    decided_at    timestamptz;
    repeats       boolean;
    of_share      smallint := pg_backend_pid() % 4;

    -- The decisions that were in force before; null: none.
    had            text[];
    had_partitions int[];
    had_runs       int[];
    had_outcomes   text[];
begin
    intended := false; same := false; settled := false; before := false; identical := false;

    select m.id, r.id, p.id, p.entity, p.ordinal is null into of_migration, run_key, partition_key, of_entity, on_demand
    from farewell_ledger.migrations m
    join farewell_ledger.runs r on r.migration_id = m.id and r.run = of_run
    join farewell_ledger.partitions p on p.migration_id = m.id and p.name = of_partition and p.fence = of_fence
    where m.customer = of_customer and m.destination = of_destination and m.account = of_account
    for share of p;
    held := found;

    if held then
        if of_people and on_demand then
            perform pg_advisory_xact_lock(of_migration, hashtext(of_entity));
        elsif of_people then
            perform pg_advisory_xact_lock_shared(of_migration, hashtext(of_entity));
        end if;

        select i.source_ids = ids into same
        from farewell_ledger.intents i
        where i.migration_id = of_migration and i.batch_id = of_batch and i.partition_id = partition_key;
        intended := found;
        same := coalesce(same, false);
    end if;

    if same then
        -- The batch is open, or was settled before.
        delete from farewell_ledger.open_batches o
        where o.migration_id = of_migration and o.batch_id = of_batch
        returning o.repeats into repeats;

        if repeats or of_people and farewell_ledger.met_elsewhere(of_migration, of_entity) then
            select array_agg(d.source_id), array_agg(d.partition_id), array_agg(d.run_id), array_agg(d.outcome)
            into had, had_partitions, had_runs, had_outcomes
            from farewell_ledger.prior(of_migration, of_entity, partition_key, string_to_array(ids, chr(31)), of_entity = 'tickets') d;
        end if;

        insert into farewell_ledger.settlements (settled_at, migration_id, run_id, created, already, skipped, failed, not_sent, again, batch_id, verdict, outcomes, target_ids)
        values (clock_timestamp(), of_migration, run_key, n_created, n_already, n_skipped, n_failed, n_unsent, n_again, of_batch, of_verdict, of_outcomes, of_targets)
        on conflict (migration_id, batch_id) do nothing
        returning settled_at into decided_at;
        settled := found;
    end if;

    if settled then
        if had is not null then
            delete from farewell_ledger.not_delivered n
            using unnest(had) d(source_id)
            where n.migration_id = of_migration and n.entity = of_entity and n.source_id = d.source_id
                and d.source_id <> all(coalesce(unsent, '{}')) and d.source_id <> all(coalesce(notable_ids, '{}'));
        end if;

        if cardinality(notable_ids) > 0 then
            insert into farewell_ledger.not_delivered as n (migration_id, entity, source_id, partition_id, run_id, at, outcome, code, text, batch_id)
            select of_migration, of_entity, u.id, partition_key, run_key, decided_at, u.outcome, u.code, u.text, of_batch
            from unnest(notable_ids, notable_outcomes, notable_codes, notable_texts) u(id, outcome, code, text)
            where u.outcome <> '-' or u.id <> all(coalesce(had, '{}'))
            on conflict (migration_id, entity, source_id) do update set
                partition_id = excluded.partition_id, run_id = excluded.run_id, at = excluded.at, outcome = excluded.outcome,
                code = excluded.code, text = excluded.text, batch_id = excluded.batch_id;
        end if;

        if of_entity <> 'tickets' then -- those have no targets, a batch's settlement says where they are
            if notable_outcomes && '{f,s}' then
                update farewell_ledger.targets t set outcome = null
                from unnest(notable_ids, notable_outcomes) u(id, outcome)
                where t.migration_id = of_migration and t.entity = of_entity and t.source_id = u.id and u.outcome <> '-' and t.outcome is not null;
            end if;
            insert into farewell_ledger.targets as t (migration_id, entity, source_id, target_id, agent, outcome, partition_id, run_id)
            select of_migration, of_entity, u.id, coalesce(u.target, ''), u.id = any(coalesce(agents, '{}')), u.outcome, partition_key, run_key
            from unnest(string_to_array(ids, chr(31)), string_to_array(of_targets, chr(31)), string_to_array(of_outcomes, null)) u(id, target, outcome)
            where u.outcome in ('c', 'a')
            on conflict (migration_id, entity, source_id) do update set
                target_id = case when excluded.target_id = '' then t.target_id else excluded.target_id end,
                agent = case when excluded.target_id = '' then t.agent else excluded.agent end,
                outcome = excluded.outcome, partition_id = excluded.partition_id, run_id = excluded.run_id;
        end if;
    elsif not held then
        select m.id into of_migration
        from farewell_ledger.migrations m
        where m.customer = of_customer and m.destination = of_destination and m.account = of_account;
    else
        select true, s.verdict = of_verdict and s.outcomes = of_outcomes and s.target_ids is not distinct from of_targets
        into before, identical
        from farewell_ledger.settlements s
        where s.migration_id = of_migration and s.batch_id = of_batch;
        before := coalesce(before, false); identical := coalesce(identical, false);
    end if;

    if evidence_kind <> '' then
        if not settled and evidence_in_settlement and evidence_ids is null then
            evidence_ids := string_to_array(ids, chr(31)); evidence_outcomes := of_outcomes; evidence_targets := string_to_array(of_targets, chr(31));
        end if;
        perform farewell_ledger.record(of_migration, of_batch, settled, evidence_kind, evidence_digest, evidence_job, evidence_note,
            evidence_ids, evidence_outcomes, evidence_targets, evidence_problems, evidence_in_settlement and settled);
    end if;

    -- The sums come last: who adds to the same row waits from here to the end
    -- of the commit.
    if not settled then
        return;
    end if;
    if had is null then
        insert into farewell_ledger.tallies as t (migration_id, partition_id, run_id, entity, created, already, skipped, failed, unsent, settled_at, share)
        values (of_migration, partition_key, run_key, of_entity, n_created, n_already, n_skipped, n_failed, n_unsent, clock_timestamp(), of_share)
        on conflict (migration_id, partition_id, run_id, share) do update set
            created = t.created + excluded.created, already = t.already + excluded.already, skipped = t.skipped + excluded.skipped,
            failed = t.failed + excluded.failed, unsent = t.unsent + excluded.unsent, settled_at = excluded.settled_at;
    else
        with decided as (
            select * from unnest(had, had_partitions, had_runs, had_outcomes) d(source_id, partition_id, run_id, outcome)
        ), replaced as (
            select d.* from decided d where d.source_id <> all(coalesce(unsent, '{}'))
        ), moved as (
            select partition_key as partition_id, run_key as run_id, n_created as created, n_already as already, n_skipped as skipped, n_failed as failed,
                n_unsent - (select count(*) from decided d where d.source_id = any(unsent)) as unsent
            union all
            select r.partition_id, r.run_id, -(r.outcome = 'c')::int, -(r.outcome = 'a')::int, -(r.outcome = 's')::int, -(r.outcome = 'f')::int, -(r.outcome = '-')::int
            from replaced r
        )
        insert into farewell_ledger.tallies as t (migration_id, partition_id, run_id, entity, created, already, skipped, failed, unsent, settled_at, share)
        select of_migration, m.partition_id, m.run_id, of_entity, sum(m.created), sum(m.already), sum(m.skipped), sum(m.failed), sum(m.unsent), clock_timestamp(), of_share
        from moved m
        group by m.partition_id, m.run_id
        order by m.partition_id, m.run_id
        on conflict (migration_id, partition_id, run_id, share) do update set
            created = t.created + excluded.created, already = t.already + excluded.already, skipped = t.skipped + excluded.skipped,
            failed = t.failed + excluded.failed, unsent = t.unsent + excluded.unsent, settled_at = excluded.settled_at;
    end if;
end
$$;
