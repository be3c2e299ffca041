-- What became of the attachments of a batch's records before it was sent, as
-- JSON: each has an outcome once its ticket has. Null: there are none.
alter table intents add column files jsonb;
