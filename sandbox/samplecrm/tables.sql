-- The tables of an ordinary help desk. Nothing here is shaped for Farewell:
-- views.sql maps it.
create schema crm;

create type crm.person_kind  as enum ('customer', 'teammate', 'owner');
create type crm.channel      as enum ('mail', 'livechat', 'facebook', 'twitter');
create type crm.progress     as enum ('fresh', 'active', 'waiting', 'parked', 'answered', 'archived');
create type crm.category     as enum ('ask', 'fault', 'outage', 'todo');
create type crm.markup       as enum ('text', 'html');

create table crm.clients (            -- the tenants
    slug         text primary key,
    company_name text not null,
    plan         text not null
);

create table crm.companies (          -- whom a tenant's customers work for
    company_no bigint not null,
    client     text not null,
    title      text not null,
    about      text,
    memo       text,
    labels     text[] not null,
    attributes jsonb,                 -- what a tenant wants to know beyond that
    made_at    timestamptz not null,
    changed_at timestamptz not null
);

create table crm.people (             -- a tenant's customers and its own staff
    person_no  bigint not null,
    client     text not null,
    company_no bigint,
    also_at    bigint[],              -- further companies that the person works for
    first_name text,
    last_name  text not null,
    mail       text,
    more_mails text[],
    phone      text,
    more_phones text[],
    kind       crm.person_kind not null,
    zone       text,
    language   text,
    labels     text[],
    attributes jsonb,
    banned     boolean not null,
    made_at    timestamptz not null,
    changed_at timestamptz not null
);

create table crm.conversations (
    conversation_no bigint not null,
    client          text not null,
    opened_by       bigint not null,
    entered_by      bigint,           -- whoever typed it in, when that was somebody else
    company_no      bigint,
    title           text,
    progress        crm.progress not null,
    urgency         smallint,         -- 1 can wait … 4 at once
    category        crm.category,
    channel         crm.channel not null,
    product         text,
    order_no        integer,
    opened_at       timestamptz not null,
    touched_at      timestamptz not null,
    answered_at     timestamptz,
    copied_to       bigint[]          -- people; null: nobody
);

create table crm.conversation_tags (
    conversation_no bigint not null,
    tag             text not null
);

create table crm.messages (
    message_no      bigint not null,
    client          text not null,
    conversation_no bigint not null,
    sent_by         bigint,
    internal        boolean not null,
    content         text not null,
    markup          crm.markup not null,
    sent_at         timestamptz not null
);

create table crm.files (
    file_no         bigint not null,
    client          text not null,
    conversation_no bigint not null,
    message_no      bigint not null,
    name            text not null,
    mime            text,
    bytes           bigint not null,
    address         text,             -- on the file server
    object_key      text,             -- in the object store
    checksum        text,             -- SHA-256 of what lies in either
    content         bytea,            -- of those that are kept here
    stored_at       timestamptz not null
);
